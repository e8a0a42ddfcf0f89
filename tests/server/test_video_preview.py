"""Previews of every family of videos: the frame in the middle."""

import base64
import io
from typing import Any

import pytest
import torch
from PIL import Image

from semguide.models import TEXT_TO_VIDEO
from semguide.runs.generation import accepted_hooks
from semguide.server.latent_preview import encode_preview
from support.families.run import ROWS, made, run

NAMES = {
    "wan": "WanPipeline",
    "cogvideox": "CogVideoXPipeline",
    "mochi": "MochiPipeline",
    "skyreels-v2": "SkyReelsV2Pipeline",
    "hunyuan-video": "HunyuanVideoPipeline",
    "kandinsky5-video": "Kandinsky5T2VPipeline",
    "cosmos1": "CosmosTextToWorldPipeline",
    "cosmos2.5": "Cosmos2_5_PredictBasePipeline",
    "latte": "LattePipeline",
    "easyanimate": "EasyAnimatePipeline",
    "sana-video": "SanaVideoPipeline",
    "sd-animatediff": "AnimateDiffPipeline",
    "sdxl-animatediff": "AnimateDiffSDXLPipeline",
    "sd-text-to-video": "TextToVideoSDPipeline",
    "allegro": "AllegroPipeline",
}
"""Pipeline by its row among the families."""


def latents_of(name: str) -> torch.Tensor:
    """Return what the pipeline of a family tells its callback at the last step."""
    seen: list[torch.Tensor] = []

    def step_end(_pipe: Any, _step: int, _timestep: Any, tensors: dict[str, Any]) -> dict[str, Any]:
        seen.append(tensors["latents"])
        return tensors

    run(made(name), ROWS[name], **accepted_hooks(made(name), {"callback_on_step_end": step_end}))
    return seen[-1]


def preview(pipe: Any, latents: torch.Tensor) -> Image.Image:
    url = encode_preview(pipe, latents)
    assert url is not None
    return Image.open(io.BytesIO(base64.b64decode(url.partition(",")[2])))


def test_every_family_is_tried():
    assert set(NAMES.values()) == set(TEXT_TO_VIDEO)


@pytest.mark.filterwarnings("ignore:In CPU autocast:UserWarning")
@pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning")
@pytest.mark.parametrize("name", sorted(set(NAMES) - {"allegro"}))
def test_the_preview_of_a_video_is_its_middle_frame(name: str):
    assert type(made(name)).__name__ == NAMES[name]
    assert min(preview(made(name), latents_of(name)).size) >= 16


def test_only_the_middle_frame_matters():
    pipe, latents = made("sd-animatediff"), torch.zeros(1, 4, 3, 8, 8)
    plain = preview(pipe, latents).tobytes()
    latents[:, :, 0] = 1.0
    assert preview(pipe, latents).tobytes() == plain
    latents[:, :, 1] = 1.0
    assert preview(pipe, latents).tobytes() != plain


def test_an_autoencoder_that_decodes_tiles_only_has_no_preview():
    assert encode_preview(made("allegro"), torch.zeros(1, 4, 2, 8, 8)) is None
