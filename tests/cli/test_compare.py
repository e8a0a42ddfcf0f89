import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from semguide.evaluation.bench.generation import TaskRunner
from support.tiny_scorers import save_tiny_blip, save_tiny_captioner, save_tiny_clip

Cli = Callable[..., Result]
METHODS = ["cfg", "sgt-balanced", "sgt-v1", "best-of-detector"]


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_clip(tmp_path_factory.mktemp("compare") / "clip")


@pytest.fixture
def compare(cli: Cli, tiny: Path, clip: Path, tmp_path: Path) -> Cli:
    """Call `semguide compare` on the tiny checkpoint and a tiny CLIP."""

    def call(*arguments: object) -> Result:
        given = ("--model", tiny, "--limit", 2, "--seeds", 1, "--steps", 4, "--out", tmp_path / "out", "--clip", clip)
        return cli("compare", *given, *arguments)

    return call


def sent(out: Path) -> dict[str, Any]:
    return json.loads((out / "compare.json").read_text(encoding="utf-8"))


def test_methods_take_as_many_steps_as_fit_the_evaluations_of_the_default_rule(compare: Cli, tmp_path: Path):
    result = compare()
    assert result.exit_code == 0, result.stderr
    methods = sent(tmp_path / "out")["methods"]
    assert list(methods) == METHODS
    budget = sent(tmp_path / "out")["sampling"]["evaluations"]
    assert budget == methods["sgt-balanced"]["evaluations_per_image"] == 4 * 2 + 2 * 2
    assert {name: found["steps"] for name, found in methods.items()} == {
        "cfg": 6,
        "sgt-balanced": 4,
        "sgt-v1": 3,
        "best-of-detector": 3,
    }
    assert all(found["evaluations_per_image"] <= budget for found in methods.values())
    assert "2 prompts, 1 seeds, 12 evaluations an image; steps: cfg 6, sgt-balanced 4" in result.stdout


def test_the_small_file_has_scores_with_intervals_and_names_no_prompt_no_path_and_no_picture(
    compare: Cli, tiny: Path, clip: Path, tmp_path: Path
):
    compare()
    found = sent(tmp_path / "out")
    assert (found["format"], found["version"]) == ("semguide-compare", 1)
    assert found["model"]["name"] == tiny.name
    assert found["model"]["fingerprint"].startswith("sha256:")
    assert found["scorers"]["clip"]["name"] == clip.name
    low, high = found["methods"]["cfg"]["metrics"]["clip_weakest"]["ci95"]
    assert low <= found["methods"]["cfg"]["metrics"]["clip_weakest"]["mean"] <= high
    assert found["paired"]["sgt-balanced-cfg"]["metrics"]["clip_similarity"].keys() == {"delta", "ci95", "p"}
    text = (tmp_path / "out" / "compare.json").read_text()
    assert len(text) < 20_000
    assert not any(word in text for word in (str(tmp_path), str(tiny.parent), " and a", "image/"))


def test_the_page_is_one_file_with_the_pictures_of_each_method_side_by_side(compare: Cli, tmp_path: Path):
    compare()
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert page.count("data:image/jpeg;base64,") == 2 * len(METHODS)
    assert "clip weakest" in page
    assert "Differences in images with all concepts right" not in page  # nothing was judged
    assert 'src="images' not in page


def test_prompts_of_a_file_are_scored_as_the_paper_does(compare: Cli, tmp_path: Path):
    (tmp_path / "a.csv").write_text("prompt\na cat and a dog\na bird and a bear\n")
    more = ("--caption", save_tiny_captioner(tmp_path / "caption"), "--vqa", save_tiny_blip(tmp_path / "vqa"))
    result = compare("--prompts", tmp_path / "a.csv", "--methods", "cfg,sgt", *more)
    assert result.exit_code == 0, result.stderr
    found = sent(tmp_path / "out")
    assert found["suite"]["name"] == "a.csv"
    scores = {"clip_similarity", "clip_weakest", "vqa_score", "caption_similarity"}
    assert scores <= set(found["methods"]["sgt"]["metrics"])
    assert set(found["scorers"]) == {"clip", "vqa", "caption"}


def test_a_second_call_makes_nothing_and_says_the_same(compare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    first = compare()
    written = (tmp_path / "out" / "compare.json").read_bytes()
    monkeypatch.setattr(TaskRunner, "__init__", None)
    again = compare()
    assert again.exit_code == 0, again.stderr
    assert again.stdout == first.stdout
    assert (tmp_path / "out" / "compare.json").read_bytes() == written


def test_ctrl_c_keeps_what_is_made_and_the_same_command_goes_on(
    compare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    make, calls = TaskRunner.run, iter(range(3))

    def stopped(self: TaskRunner, task: Any) -> Any:
        if next(calls, None) is None:
            raise KeyboardInterrupt
        return make(self, task)

    monkeypatch.setattr(TaskRunner, "run", stopped)
    result = compare()
    assert result.exit_code == 1
    assert result.stderr.startswith("stopped: 1 of the 2 missing images are finished")
    assert not (tmp_path / "out" / "compare.json").exists()
    monkeypatch.setattr(TaskRunner, "run", make)
    assert compare().exit_code == 0
    assert len(list((tmp_path / "out").glob("methods/*/images/*/*.png"))) == 8


def test_a_number_of_evaluations_may_be_given(compare: Cli, tmp_path: Path):
    assert compare("--evaluations", 8, "--methods", "cfg,sgt-v1").exit_code == 0
    assert [found["steps"] for found in sent(tmp_path / "out")["methods"].values()] == [4, 2]


@pytest.mark.parametrize(
    ("more", "named"),
    [
        (("--methods", "cfg"), "--methods must be two or more"),
        (("--methods", "cfg,sgtt"), "--methods"),
        (("--evaluations", 1), "--evaluations"),
        (("--clip", "none"), "--clip must not be"),
        (("--clip", "nowhere"), "--clip"),
        (("--prompts", "nowhere.csv"), "must be the path of a prompt file"),
        (("--seeds", 0), "--seeds"),
        (("--set", "strength=1"), "--set"),
    ],
)
def test_refusals_come_before_any_work(compare: Cli, tmp_path: Path, more: tuple[object, ...], named: str):
    result = compare(*more)
    assert result.exit_code == 2, result.stderr
    assert named in result.stderr
    assert not (tmp_path / "out").exists()


def test_prompts_of_another_world_are_refused_for_a_model_with_a_judge(cli: Cli, tmp_path: Path):
    result = cli("compare", "--out", tmp_path / "out")
    assert (result.exit_code, "--prompts must ask for things that emoji-judge knows" in result.stderr) == (2, True)
    assert not (tmp_path / "out").exists()


def test_a_folder_with_other_content_is_refused(compare: Cli, tmp_path: Path):
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    result = compare()
    assert (result.exit_code, "with no other files" in result.stderr) == (2, True)


@pytest.mark.parametrize("name", ["report.html", "compare.json"])
@pytest.mark.parametrize("linked", [False, True])
def test_a_file_that_is_not_ours_is_not_replaced_nor_written_through(
    compare: Cli, tmp_path: Path, name: str, linked: bool
):
    (tmp_path / "out" / "methods").mkdir(parents=True)
    theirs = tmp_path / "theirs" if linked else tmp_path / "out" / name
    theirs.write_text("mine")
    if linked:
        (tmp_path / "out" / name).symlink_to(theirs)
    result = compare()
    assert (result.exit_code, f"not as semguide wrote it ({name})" in result.stderr) == (2, True)
    assert theirs.read_text() == "mine"


@pytest.mark.parametrize("name", ["methods", "methods/cfg"])
def test_no_folder_is_written_through_a_link(compare: Cli, tmp_path: Path, name: str):
    (tmp_path / "theirs").mkdir()
    link = tmp_path / "out" / name
    link.parent.mkdir(parents=True)
    link.symlink_to(tmp_path / "theirs")
    result = compare()
    assert (result.exit_code, "is a link" in result.stderr) == (2, True)
    assert not any((tmp_path / "theirs").iterdir())


def test_offline_a_scorer_of_the_hub_is_one_sentence(compare: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "hub"))
    result = compare("--clip", "nobody/nothing")
    assert result.exit_code == 1
    assert result.stderr.startswith("error: the model 'nobody/nothing' is neither in the hub's cache")
    assert len(result.stderr.strip().splitlines()) == 1
