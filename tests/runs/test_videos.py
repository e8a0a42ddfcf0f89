import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageSequence
from typer.testing import Result

from semguide.errors import SemguideWarning
from semguide.models import load
from semguide.runs import folder
from semguide.runs.generation import call_arguments, generate_images
from semguide.runs.png import Video, pixel_hash, read_frames, read_png, write_png
from semguide.runs.request import Request, plan_run
from semguide.runs.run import Run, from_json
from support.refusals import refuses
from support.tiny.films import latte
from support.tiny.pipelines import tiny as tiny_pipeline

PROMPT = "a red book and a yellow vase"
SIZE: dict[str, Any] = {"height": 64, "width": 64, "num_inference_steps": 2, "num_images": 1, "guidance_scale": 4.0}
Cli = Callable[..., Result]


@pytest.fixture(scope="module")
def wan(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny random Wan; tests must not write to it."""
    path = tmp_path_factory.mktemp("wan") / "model"
    tiny_pipeline("WanPipeline").save_pretrained(path)
    return path


@pytest.fixture
def film(cli: Cli, wan: Path, tmp_path: Path) -> Cli:
    """Call `semguide generate` for videos of 5 frames, in tmp_path / "out"."""
    options = ("--height", 64, "--width", 64, "--num-frames", 5, "--steps", 2, "--out", tmp_path / "out")

    def call(*arguments: object) -> Result:
        return cli("generate", PROMPT, "--model", wan, *options, *arguments)

    return call


def run_json(out: Path) -> dict[str, Any]:
    return json.loads((out / "run.json").read_text(encoding="utf-8"))


def described(wan: Path, **changes: Any) -> Run:
    return plan_run(Request(PROMPT, model=str(wan), **SIZE, **changes)).run


def test_the_command_writes_a_file_of_all_frames_for_each_video(film: Cli, tmp_path: Path):
    result = film("--compare", "cfg", "--num-images", 2)
    assert (result.exit_code, result.stderr) == (0, "")
    assert "4 videos of cfg, sgt-balanced" in result.stdout
    out = tmp_path / "out"
    entries = run_json(out)["images"]
    assert len(entries) == len({entry["pixels"] for entry in entries}) == 4
    for entry in entries:
        assert (entry["frames"], entry["fps"]) == (5, 16)
        frames, texts = read_frames(out / entry["file"])
        assert pixel_hash(*frames) == entry["pixels"] == texts["semguide"]["pixels"]
        with Image.open(out / entry["file"]) as file:
            assert [frame.info["duration"] for frame in ImageSequence.Iterator(file)] == [62.5] * 5
    with Image.open(out / "grid.png") as grid:
        assert getattr(grid, "n_frames", 1) == 1


def test_run_json_has_the_number_of_frames_and_repeats_them(film: Cli, cli: Cli, tmp_path: Path):
    film("--num-images", 1)
    assert run_json(tmp_path / "out")["run"]["sampling"]["num_frames"] == 5
    repeated = cli("generate", "--from", tmp_path / "out" / "run.json", "--out", tmp_path / "again")
    assert "1 of 1 images compared with the record: all equal, bit for bit" in repeated.stdout


def test_a_stopped_run_goes_on_with_the_missing_videos(film: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    calls: list[Path] = []

    def interrupted(path: Path, *arguments: Any) -> None:
        calls.append(path)
        if len(calls) == 2:
            raise KeyboardInterrupt
        write_png(path, *arguments)

    with monkeypatch.context() as patch:
        patch.setattr(folder, "write_png", interrupted)
        assert "1 of 2 images are finished" in film("--num-images", 2).stderr
    assert "2 videos (1 of them were there already)" in film("--num-images", 2).stdout


def test_another_number_of_frames_makes_other_videos(film: Cli, tmp_path: Path):
    film("--num-images", 1)
    refused = film("--num-images", 1, "--num-frames", 9)
    assert refused.exit_code == 2
    assert "must not hold images that this run would drop" in refused.stderr


def test_the_best_of_many_seeds_of_a_video_is_the_one_that_the_seed_alone_gives(
    film: Cli, cli: Cli, tmp_path: Path, wan: Path
):
    chosen = film("--best-of", 2)
    assert "chosen: seed" in chosen.stdout
    (entry,) = run_json(tmp_path / "out")["images"]
    pipe = load(str(wan), "cpu")
    pipe.set_progress_bar_config(disable=True)
    planned = plan_run(
        Request(PROMPT, model=str(wan), **{**SIZE, "guidance_scale": None}, seed=entry["seed"], num_frames=5)
    )
    (alone,) = generate_images(planned.run, planned.rules, pipe)
    assert pixel_hash(*alone.frames) == entry["pixels"]


def test_a_number_of_frames_that_the_model_cannot_make_is_told(wan: Path):
    planned = plan_run(Request(PROMPT, model=str(wan), **SIZE, num_frames=4))
    pipe = load(str(wan), "cpu")
    pipe.set_progress_bar_config(disable=True)
    with pytest.warns(SemguideWarning, match=r"the videos have 5 frames, as the model makes no 4"):
        (image,) = generate_images(planned.run, planned.rules, pipe)
    assert (len(image.frames), image.fps) == (5, 16)


def test_frames_and_size_are_the_pipeline_s_own_where_none_are_given(wan: Path):
    own = plan_run(Request(PROMPT, model=str(wan), num_images=1)).run.sampling
    assert (own.num_frames, own.height, own.width) == (81, 480, 832)


def test_a_run_of_videos_is_read_back_and_one_of_pictures_has_no_frames(wan: Path, tiny: Path):
    run = described(wan, num_frames=9)
    assert from_json(run.to_json()) == run
    pictures = plan_run(Request(PROMPT, model=str(tiny), num_images=1)).run
    assert "num_frames" not in pictures.to_json()["sampling"]
    assert from_json(pictures.to_json()) == pictures
    assert set(call_arguments(pictures, load(str(tiny), "cpu"))).isdisjoint({"num_frames", "output_type"})


def test_frames_are_refused_for_a_model_of_pictures(tiny: Path):
    with refuses("num_frames", "makes pictures", 9):
        plan_run(Request(PROMPT, model=str(tiny), num_frames=9))


def test_a_model_of_one_number_of_frames_has_no_other(tmp_path: Path):
    latte().save_pretrained(tmp_path / "latte")
    given: dict[str, Any] = {"model": str(tmp_path / "latte"), "height": 16, "width": 16, "num_images": 1}
    assert plan_run(Request(PROMPT, **given)).run.sampling.num_frames == 2
    with refuses("num_frames", "must be 2, the only number of frames that", 16):
        plan_run(Request(PROMPT, **given, num_frames=16))


@pytest.mark.parametrize("num_frames", [0, 1001])
def test_a_number_of_frames_out_of_range_is_refused(wan: Path, num_frames: int):
    with refuses("num_frames", "must be from 1 to 1000", num_frames):
        described(wan, num_frames=num_frames)


def test_frames_that_are_alike_stay_frames_of_their_own(tmp_path: Path):
    red, blue = Image.new("RGB", (4, 3), "red"), Image.new("RGB", (4, 3), "blue")
    frames = [red, red, red, blue, blue, red]
    write_png(tmp_path / "a.png", Video(tuple(frames), 8))
    read, _ = read_frames(tmp_path / "a.png")
    assert [frame.tobytes() for frame in read] == [frame.tobytes() for frame in frames]
    assert read_png(tmp_path / "a.png")[0].tobytes() == blue.tobytes()


@pytest.mark.parametrize("count", [1, 2])
def test_a_short_video_is_read_back(tmp_path: Path, count: int):
    frames = tuple(Image.effect_noise((8, 8), 64).convert("RGB") for _ in range(count))
    write_png(tmp_path / "a.png", Video(frames, 8))
    assert pixel_hash(*read_frames(tmp_path / "a.png")[0]) == pixel_hash(*frames)
