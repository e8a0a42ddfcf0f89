from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import torch

from semguide.evaluation.judging import Detection
from semguide.evaluation.suites import suite
from semguide.models import embedded
from semguide_emoji import ASSETS
from semguide_emoji.clip import CLIPShape, EmojiCLIP, tokenizer_folder
from semguide_emoji.evaluation import quality
from semguide_emoji.evaluation.quality import JudgeQuality, clip_quality, judge_quality
from semguide_emoji.judge import Judge, JudgeConfig
from semguide_emoji.scenes import SMALL_WORLD, Scene
from semguide_emoji.scenes.scene import GRID
from semguide_emoji.scenes.vocabulary import NATURAL_COLOURS
from semguide_emoji.suites import SUITES
from semguide_emoji.training.data import Batches
from support.refusals import refuses

JUDGE = Judge(JudgeConfig(SMALL_WORLD.nouns, 8, 32)).eval()


def seen(scene: Scene, colour: str | None = None) -> list[Detection]:
    """What a perfect judge finds, all in one colour if one is given."""
    return [
        Detection(
            thing.noun,
            colour or thing.colour or NATURAL_COLOURS.get(thing.noun, "natural"),
            thing.colour is None,
            thing.centre[0] / GRID,
            thing.centre[1] / GRID,
            thing.size / GRID,
            1.0,
        )
        for thing in scene.objects
    ]


def judged_as(monkeypatch: pytest.MonkeyPatch, answer: Any) -> JudgeQuality:
    scenes = iter(Batches(SMALL_WORLD, 32, 50, seed=999).scenes(0)[0])
    monkeypatch.setattr(quality, "find", lambda judge, pictures: [answer(next(scenes)) for _ in pictures])
    return judge_quality(JUDGE, SMALL_WORLD, scenes=50)


def test_a_judge_that_sees_everything_is_perfect(monkeypatch: pytest.MonkeyPatch):
    result = judged_as(monkeypatch, seen)
    assert (result.found, result.right, result.false) == (1.0, 1.0, 0.0)
    assert result.objects > 50


def test_a_judge_that_sees_nothing_finds_nothing(monkeypatch: pytest.MonkeyPatch):
    result = judged_as(monkeypatch, lambda scene: [])
    assert (result.found, result.right, result.false) == (0.0, 0.0, 0.0)


def test_wrong_colours_and_inventions_are_counted(monkeypatch: pytest.MonkeyPatch):
    result = judged_as(monkeypatch, lambda scene: seen(scene, "purple") * 2)
    assert result.found == 1.0
    assert 0.0 < result.right < 0.3
    assert result.false == pytest.approx(0.5)


def test_pictures_go_through_the_autoencoder_first(monkeypatch: pytest.MonkeyPatch):
    looked: list[torch.Tensor] = []
    monkeypatch.setattr(quality, "reconstruct", lambda vae, pictures: torch.full_like(pictures, 3.0))
    monkeypatch.setattr(quality, "find", lambda judge, pictures: looked.append(pictures) or [[]] * len(pictures))
    judge_quality(JUDGE, SMALL_WORLD, vae=object(), scenes=1)
    assert float(looked[0].min()) == float(looked[0].max()) == 1.0


def test_no_scenes_are_refused():
    with refuses("scenes", "must be >= 1"):
        judge_quality(JUDGE, SMALL_WORLD, scenes=0)


@pytest.mark.slow
def test_the_embedded_judge_sees_nearly_everything():
    folder: Path = ASSETS / "emoji-judge"
    if not folder.exists():
        pytest.skip("no judge is embedded")
    judge = Judge.load(folder)
    result = judge_quality(judge, SMALL_WORLD, scenes=500)
    assert result.found > 0.97
    assert result.right > 0.93
    assert result.false < 0.03
    if "emoji-unet" in embedded():
        from semguide.models import load

        blurred = judge_quality(judge, SMALL_WORLD, load("emoji-unet", "cpu").vae, scenes=500)
        assert blurred.found > 0.93
        assert blurred.right > 0.85


class Painter:
    """A pipeline that returns the prompts' numbers as pictures and keeps what it was asked for."""

    def __init__(self) -> None:
        self.asked: list[tuple[list[str], dict[str, Any]]] = []

    def __call__(self, prompts: list[str], **options: Any) -> Any:
        self.asked.append((prompts, options))
        return SimpleNamespace(images=torch.zeros(len(prompts), 3, 8, 8))


@pytest.mark.parametrize(("answer", "share"), [(True, "1.000 [1.000, 1.000]"), (False, "0.000 [0.000, 0.000]")])
def test_plain_quality_is_the_share_of_pictures_with_everything_right(
    answer: bool, share: str, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(quality, "find", lambda judge, pictures: [[]] * len(pictures))
    monkeypatch.setattr(quality, "rule_on", lambda prompt, findings: SimpleNamespace(all_right=answer))
    painter = Painter()
    rows = quality.plain_quality(painter, JUDGE, 4.0, range(2), limit=3, num_inference_steps=7)
    assert set(rows.values()) == {share}
    assert "emoji-single single, all right (3 test prompts, 2 seeds)" in rows
    assert {(options["guidance_scale"], options["num_inference_steps"]) for _, options in painter.asked} == {(4.0, 7)}
    seeds = [options["generator"][0].initial_seed() for _, options in painter.asked]
    assert seeds == [0, 1] * len(SUITES)


def test_every_prompt_is_made_once_a_seed(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quality, "find", lambda judge, pictures: [[]] * len(pictures))
    painter = Painter()
    quality.plain_quality(painter, JUDGE, 4.0, [0])
    made = [prompt for prompts, _ in painter.asked for prompt in prompts]
    assert made == [prompt.text for name in SUITES for prompt in suite(name, "test")]
    assert max(len(prompts) for prompts, _ in painter.asked) == 32


class Knowing:
    """A CLIP whose pictures and texts are vectors of words: what it knows of a scene is what its caption says."""

    shape = CLIPShape(0, 0, size=32)
    device = torch.device("cpu")

    def __init__(self, right: bool) -> None:
        self.right = right

    def similarity(self, ids: list[str], pictures: list[set[str]]) -> torch.Tensor:
        score = torch.tensor([[len(words & set(text.split())) - 0.1 * len(text) for words in pictures] for text in ids])
        return score if self.right else -score


@pytest.mark.parametrize("right", [True, False])
def test_clip_quality_is_the_share_of_right_answers(right: bool, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(quality, "tokenize", lambda tokenizer, captions, device: captions)
    monkeypatch.setattr(quality, "pixels", lambda scenes, size: Words(words_of(scene) for scene in scenes))
    monkeypatch.setattr(quality, "AMONG", 2)
    clip: Any = Knowing(right)
    found = quality._named(clip, None, SMALL_WORLD, 0)
    assert found == ((1.0, 1.0) if right else (0.0, 0.0))


class Words(list[set[str]]):
    """Pictures as words."""

    def to(self, device: Any) -> "Words":
        return self


def words_of(scene: Scene) -> set[str]:
    return {word for thing in scene.objects for word in (thing.noun, thing.colour or "")}


@pytest.mark.slow
def test_the_embedded_clip_finds_captions_nouns_and_colours():
    from transformers import CLIPTokenizer

    clip = EmojiCLIP.load(ASSETS / "emoji-clip")
    tokenizer = CLIPTokenizer.from_pretrained(tokenizer_folder(ASSETS / "emoji-clip"))
    rows = {name: float(share) for name, share in clip_quality(clip, tokenizer, SMALL_WORLD, scenes=256).items()}
    assert len(rows) == 6
    assert min(rows.values()) > 0.85
    assert all(share > 0.97 for name, share in rows.items() if "noisy" not in name)


def test_a_clip_held_against_no_scenes_is_refused():
    clip: Any = Knowing(True)
    with refuses("scenes", "must be >= 1"):
        clip_quality(clip, None, SMALL_WORLD, scenes=0)
