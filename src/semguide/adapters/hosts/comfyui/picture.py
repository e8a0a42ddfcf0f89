"""A trace as ComfyUI's IMAGE."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from semguide.guidance import Trace


def picture_of(trace: Trace) -> Tensor:
    """Return the plot of a trace, (1, height, width, 3) in [0, 1]."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    canvas = FigureCanvasAgg(trace.plot())
    canvas.draw()
    pixels = np.asarray(canvas.buffer_rgba())[None, ..., :3]
    return torch.from_numpy(pixels.astype(np.float32) / 255)
