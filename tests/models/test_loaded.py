from pathlib import Path
from typing import Any

import pytest
import safetensors.torch
import torch

from semguide import BalancedSGT, steer
from semguide.models import LoadOptions, Lora, load
from support.refusals import refuses
from support.tiny.loras import tiny_lora

PROMPT = "a red book and a yellow vase"


def picture(folder: Path, prompt: str = PROMPT, **options: Any) -> Any:
    """Make a steered picture in 3 steps."""
    pipe = load(str(folder), "cpu", LoadOptions(**options))
    pipe.set_progress_bar_config(disable=True)
    generator = torch.Generator("cpu").manual_seed(0)
    result = steer(pipe, BalancedSGT())(
        prompt, num_inference_steps=3, generator=generator, height=64, width=64, output_type="np"
    )
    return torch.as_tensor(result.images)


@pytest.fixture(scope="session")
def plain(tiny: Path) -> torch.Tensor:
    return picture(tiny)


@pytest.fixture(scope="session")
def lora(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A LoRA of the tiny checkpoint, as diffusers saves it, whose update is not zero."""
    return tiny_lora(tiny, tmp_path_factory.mktemp("lora"))


def test_a_lora_changes_the_picture_by_its_scale(tiny: Path, plain: torch.Tensor, lora: Path):
    half, whole = (picture(tiny, loras=(Lora(str(lora), scale),)) for scale in (0.5, 1.0))
    assert not torch.equal(whole, plain)
    assert not torch.equal(half, whole)


def test_a_lora_of_scale_0_changes_no_bit(tiny: Path, plain: torch.Tensor, lora: Path):
    assert torch.equal(picture(tiny, loras=(Lora(str(lora), 0.0),)), plain)


def test_several_loras_are_active_together(tiny: Path, lora: Path, tmp_path: Path):
    second = tmp_path / "second.safetensors"
    safetensors.torch.save_file({name: -tensor for name, tensor in safetensors.torch.load_file(lora).items()}, second)
    both = picture(tiny, loras=(Lora(str(lora), 0.25), Lora(str(second), 0.75)))
    found = (both - picture(tiny, loras=(Lora(str(lora)),))).abs().max()
    assert found < 1e-3, found  # (-B)(-A) = BA


def test_a_lora_of_no_layer_of_the_checkpoint_is_refused(tiny: Path, tmp_path: Path):
    file = tmp_path / "other.safetensors"
    safetensors.torch.save_file({"unet.nowhere.lora_A.weight": torch.zeros(2, 4)}, file)
    with refuses("loras", "own family"):
        load(str(tiny), "cpu", LoadOptions(loras=(Lora(str(file)),)))


def test_a_textual_inversion_gives_its_token_a_meaning(tiny: Path, tmp_path: Path):
    file = tmp_path / "toy.safetensors"
    width = load(str(tiny), "cpu").text_encoder.config.hidden_size
    safetensors.torch.save_file({"<toy>": torch.linspace(-3, 3, width)}, file)
    prompt = "a <toy> book and a yellow vase"
    assert not torch.equal(picture(tiny, prompt, embeddings=(str(file),)), picture(tiny, prompt))
    pipe = load(str(tiny), "cpu", LoadOptions(embeddings=(str(file),)))
    assert pipe.tokenizer.tokenize("<toy>") == ["<toy>"]


def test_a_textual_inversion_of_another_width_is_refused(tiny: Path, tmp_path: Path):
    safetensors.torch.save_file({"<toy>": torch.zeros(3)}, tmp_path / "toy.safetensors")
    with refuses("embeddings", "own family"):
        load(str(tiny), "cpu", LoadOptions(embeddings=(str(tmp_path / "toy.safetensors"),)))


def test_the_scheduler_is_switched_and_keeps_the_configuration(tiny: Path, plain: torch.Tensor):
    pipe = load(str(tiny), "cpu", LoadOptions(scheduler="DPMSolverMultistepScheduler"))
    assert type(pipe.scheduler).__name__ == "DPMSolverMultistepScheduler"
    assert pipe.scheduler.config.steps_offset == 1
    assert not torch.equal(picture(tiny, scheduler="DPMSolverMultistepScheduler"), plain)


def test_bfloat16_runs_on_the_cpu(tiny: Path, plain: torch.Tensor):
    found = picture(tiny, dtype="bfloat16")
    assert torch.isfinite(found).all()
    assert not torch.equal(found, plain)


def test_group_offload_changes_no_bit(tiny: Path, plain: torch.Tensor):
    assert torch.equal(picture(tiny, offload="group"), plain)


def test_tiles_are_decoded_where_they_are_asked_for(tiny: Path):
    assert load(str(tiny), "cpu", LoadOptions(vae_tiling=True)).vae.use_tiling
    assert not load(str(tiny), "cpu").vae.use_tiling


@pytest.mark.parametrize(
    ("offload", "call"), [("model", "enable_model_cpu_offload"), ("sequential", "enable_sequential_cpu_offload")]
)
def test_offload_is_diffusers_own(offload: str, call: str):
    from semguide.models.loaded import place

    class Pipe:
        def __getattr__(self, name: str) -> Any:
            assert name == call
            return lambda device: setattr(self, "called", device)

    assert place(Pipe(), LoadOptions(offload=offload), "cuda:0").called == "cuda:0"


def test_two_text_encoders_read_a_textual_inversion_of_two_parts(tmp_path: Path):
    from semguide.models.loaded import load_adapters
    from support.tiny.stable_diffusion import tiny_sdxl

    pipe = tiny_sdxl()
    encoders = {"clip_l": pipe.text_encoder, "clip_g": pipe.text_encoder_2}
    tensors = {key: torch.ones(2, encoder.config.hidden_size) for key, encoder in encoders.items()}
    safetensors.torch.save_file(tensors, tmp_path / "style.safetensors")
    load_adapters(pipe, LoadOptions(embeddings=(str(tmp_path / "style.safetensors"),)))
    for tokenizer, encoder in ((pipe.tokenizer, pipe.text_encoder), (pipe.tokenizer_2, pipe.text_encoder_2)):
        ids = tokenizer.convert_tokens_to_ids(["style", "style_1"])
        assert encoder.get_input_embeddings().weight[ids].eq(1).all()
