from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file

from semguide_emoji.judge import COLOUR_CLASSES, STRIDE, Judge, JudgeConfig
from semguide_emoji.scenes import COLOURS
from support.refusals import refuses

CONFIG = JudgeConfig(("cat", "car", "star"), width=8, size=32)


@pytest.fixture
def judge() -> Judge:
    torch.manual_seed(0)
    return Judge(CONFIG).eval()


@pytest.mark.parametrize("size", [32, 64, 128])
@torch.no_grad()
def test_maps_have_a_cell_for_every_four_pixels(judge: Judge, size: int):
    centres, colours, side = judge(torch.zeros(2, 3, size, size))
    cells = size // STRIDE
    assert centres.shape == (2, 3, cells, cells)
    assert colours.shape == (2, len(COLOUR_CLASSES), cells, cells)
    assert side.shape == (2, cells, cells)
    assert float(side.min()) >= 0.0
    assert float(side.max()) <= 1.0


@torch.no_grad()
def test_an_untrained_judge_sees_next_to_nothing(judge: Judge):
    centres, _, _ = judge(torch.zeros(1, 3, 32, 32))
    assert float(centres.sigmoid().mean()) < 0.1


@torch.no_grad()
def test_what_was_saved_is_loaded_in_float32_up_to_half_precision(judge: Judge, tmp_path: Path):
    judge.save(tmp_path / "judge")
    stored = load_file(tmp_path / "judge" / "model.safetensors")
    assert {v.dtype for v in stored.values() if v.is_floating_point()} == {torch.float16}
    loaded = Judge.load(tmp_path / "judge")
    assert loaded.config == CONFIG
    assert not loaded.training
    assert {p.dtype for p in loaded.parameters()} == {torch.float32}
    pictures = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(0)) * 2 - 1
    for a, b in zip(judge(pictures), loaded(pictures), strict=True):
        torch.testing.assert_close(a, b, atol=0.02, rtol=0.01)


def test_saving_what_was_loaded_changes_nothing(judge: Judge, tmp_path: Path):
    judge.save(tmp_path / "one")
    Judge.load(tmp_path / "one").save(tmp_path / "two")
    one, two = (load_file(tmp_path / name / "model.safetensors") for name in ("one", "two"))
    assert all(torch.equal(one[name], two[name]) for name in one)


def test_colour_classes_are_the_colours_and_natural():
    assert (*COLOURS, "natural") == COLOUR_CLASSES


def test_a_folder_without_a_judge_is_refused(tmp_path: Path):
    with refuses("folder", "must hold config.json and model.safetensors of a judge"):
        Judge.load(tmp_path)
