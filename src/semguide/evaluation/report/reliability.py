"""The reliability diagram: probabilities against what became of the concepts."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np

from semguide.evaluation.calibrating import RELIABILITY
from semguide.evaluation.calibration import Reliability
from semguide.files import atomic
from semguide.models.calibrations import Calibration
from semguide.runs.png import RECORD


def draw_reliability(path: Path, calibration: Calibration, told: Reliability) -> None:
    """Draw the diagram as a PNG file, whole or not at all.

    Args:
        path: The file.
        calibration: What was fitted.
        told: Its probabilities of prompts that were held out in turn.
    """
    from matplotlib.figure import Figure

    on = calibration.fitted_on
    figure: Any = Figure(figsize=(5, 5), layout="constrained")
    axis = figure.subplots()
    axis.plot([0, 1], [0, 1], color="0.6", linewidth=0.8)
    count = on["concepts"] / len(told.predicted)
    spread = 1.96 * np.sqrt(told.happened * (1 - told.happened) / count)
    axis.errorbar(told.predicted, told.happened, spread, marker="o", capsize=3)
    axis.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.02), aspect="equal")
    axis.set(xlabel="alignment (prompts held out in turn)", ylabel=f"share right by {on['judge']}")
    brier = f"Brier {told.brier:.3f}, of the share {told.base:.3f}; AUROC {on['quality']['auroc']:.2f}"
    axis.set_title(f"{on['model']}, {on['concepts']} concepts of {on['suite']}\n{brier}", fontsize=10)
    with atomic(path) as temporary:
        metadata = {RECORD: json.dumps({RELIABILITY: calibration.fingerprint})}
        figure.savefig(temporary, format="png", dpi=120, metadata=metadata)
