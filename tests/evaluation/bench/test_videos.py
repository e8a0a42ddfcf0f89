"""Videos in `semguide bench`, and what looks at its images: of a video the frame in its middle."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import Result

from semguide.evaluation.bench.table import read_table
from semguide.evaluation.metrics.clip import load_clip
from semguide.runs.png import pixel_hash, read_frames, read_png, still_png
from support.tiny_scorers import save_tiny_clip

Cli = Callable[..., Result]
PROMPT = "a red book and a yellow vase"


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_clip(tmp_path_factory.mktemp("scorers") / "clip")


@pytest.fixture
def bench(cli: Cli, wan: Path, clip: Path, tmp_path: Path) -> Cli:
    """Call `semguide bench` for one video of 5 frames a method."""
    prompts = tmp_path / "one.txt"
    prompts.write_text(f"{PROMPT}\n")

    def call(methods: str, *more: object) -> Result:
        fixed = ("--model", wan, "--judge", "none", "--clip", clip, "--split", "all", "--seeds", 1, "--num-frames", 5)
        return cli("bench", "--suite", prompts, *fixed, "--methods", methods, "--out", tmp_path / "out", *more)

    return call


def rows(out: Path) -> dict[str, dict[str, Any]]:
    return {row["method"]: row for row in read_table(out / "results.parquet")}


def test_a_row_keeps_the_video_that_the_command_makes_and_scores_its_middle_frame(
    bench: Cli, cli: Cli, wan: Path, clip: Path, tmp_path: Path
):
    result = bench("cfg,sgt-balanced", "--keep-images")
    assert result.exit_code == 0, result.stderr
    made = cli(
        *("generate", PROMPT, "--model", wan, "--compare", "cfg", "--num-images", 1),
        *("--num-frames", 5, "--out", tmp_path / "made"),
    )
    assert made.exit_code == 0, made.stderr
    model = load_clip(clip, "cpu")
    for entry in json.loads((tmp_path / "made" / "run.json").read_text(encoding="utf-8"))["images"]:
        row = rows(tmp_path / "out")[entry["method"]]
        frames, _ = read_frames(tmp_path / "out" / row["image"])
        assert pixel_hash(*frames) == entry["pixels"]
        assert row["evaluations"] == entry["evaluations"]
        similarity = float(model.texts([PROMPT])[0] @ model.image(frames[2]))
        assert row["clip_similarity"] == pytest.approx(similarity, abs=1e-6)
    assert "2 images (2 of them were there already)" in bench("cfg,sgt-balanced", "--keep-images").stdout
    assert json.loads((tmp_path / "out" / "bench.json").read_text(encoding="utf-8"))["settled"]["num_frames"] == 5


def test_methods_that_choose_among_seeds_make_videos_too(bench: Cli, clip: Path, tmp_path: Path):
    given = ("--set", "best-of-detector.seeds=2", "--set", f"best-of-clip.clip={clip}", "--set", "retry.seeds=2")
    result = bench("best-of-detector,best-of-clip,retry", *given, "--keep-images")
    assert result.exit_code == 0, result.stderr
    for row in rows(tmp_path / "out").values():
        assert len(read_frames(tmp_path / "out" / row["image"])[0]) == 5
        assert len(json.loads(row["details"])["candidates"]) in (1, 2)


def test_a_lone_concept_is_no_news_in_a_benchmark(bench: Cli, tmp_path: Path):
    (tmp_path / "one.txt").write_text("a cat\n")
    result = bench("sgt-balanced")
    assert (result.exit_code, "only concept" in result.stderr) == (0, False), result.stderr


def test_an_export_has_the_middle_frames(bench: Cli, tmp_path: Path):
    result = bench("cfg", "--export", "geneval", tmp_path / "export")
    assert result.exit_code == 0, result.stderr
    with Image.open(tmp_path / "export" / "cfg" / "00000" / "samples" / "0000.png") as exported:
        assert getattr(exported, "n_frames", 1) == 1
        still, _ = read_png(tmp_path / "out" / rows(tmp_path / "out")["cfg"]["image"])
        assert pixel_hash(exported.copy()) == pixel_hash(still)


def test_a_picture_is_exported_as_the_file_that_it_is(tmp_path: Path):
    Image.new("RGB", (4, 3), "red").save(tmp_path / "a.png")
    assert still_png(tmp_path / "a.png") == (tmp_path / "a.png").read_bytes()


@pytest.mark.parametrize("method", ["attend-excite", "fk-steering", "apg-denoised", "co3"])
def test_a_method_that_makes_no_videos_is_refused_in_one_sentence(bench: Cli, method: str):
    refused = bench(f"cfg,{method}")
    assert refused.exit_code == 2
    assert method in refused.stderr
    assert "WanPipeline" in refused.stderr


@pytest.mark.filterwarnings("ignore::semguide.errors.SemguideWarning")
def test_methods_are_compared_on_videos(cli: Cli, wan: Path, clip: Path, tmp_path: Path):
    given = ("--model", wan, "--limit", 1, "--seeds", 1, "--num-frames", 5, "--clip", clip, "--out", tmp_path / "out")
    result = cli("compare", "--methods", "cfg,sgt-balanced", *given)
    assert result.exit_code == 0, result.stderr
    sent = json.loads((tmp_path / "out" / "compare.json").read_text(encoding="utf-8"))
    assert sent["sampling"]["num_frames"] == 5
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert report.count("data:image/jpeg") == 2
