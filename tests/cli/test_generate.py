import json
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from typer.testing import Result

from semguide.models import embedded
from semguide.models.calibrations import Calibration, calibration_file
from semguide.models.weights import folder_weights_fingerprint
from semguide.runs import folder
from semguide.runs.png import RECORD, TRACE, pixel_hash, read_png, write_png

Cli = Callable[..., Result]


def files(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}


def run_json(folder: Path) -> dict[str, Any]:
    return json.loads((folder / "run.json").read_text(encoding="utf-8"))


def pixels(folder: Path) -> dict[str, str]:
    return {path.name: pixel_hash(read_png(path)[0]) for path in (folder / "images").iterdir()}


@pytest.fixture
def out(tmp_path: Path) -> Path:
    return tmp_path / "out"


@pytest.fixture
def stop_at(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[int], None]]:
    """Make the n-th image file's writing be interrupted, as by Ctrl-C."""
    with monkeypatch.context() as patch:

        def arm(number: int) -> None:
            calls: list[Path] = []

            def interrupted(path: Path, image: Image.Image, texts: dict[str, Any] | None = None) -> None:
                calls.append(path)
                if len(calls) == number:
                    raise KeyboardInterrupt
                write_png(path, image, texts)

            patch.setattr(folder, "write_png", interrupted)

        yield arm


def test_a_run_writes_its_files_and_says_where_and_nothing_else(generate: Cli, out: Path):
    result = generate("--compare", "cfg", "--num-images", 2)
    assert (result.exit_code, result.stderr) == (0, "")
    assert str(out / "grid.png") in result.stdout
    images = {f"images/{method}-{seed}.png" for method in ("cfg", "sgt-balanced") for seed in (0, 1)}
    assert files(out) == {"grid.png", "trajectory.png", "run.json", *images}


def test_grid_has_a_row_for_each_method_and_a_column_for_each_seed(generate: Cli, out: Path):
    generate("--compare", "cfg", "--num-images", 3)
    with Image.open(out / "grid.png") as grid:
        assert 3 * 192 < grid.width < 5 * 192
        assert 2 * 192 < grid.height < 3 * 192


def test_run_json_says_everything_that_decided_the_images(generate: Cli, out: Path, tiny: Path):
    generate("--compare", "cfg", "--num-images", 1, "--set", "strength=0.5", "--negative", "blurry", "--seed", 5)
    described = run_json(out)
    run = described["run"]
    assert described["complete"] is True
    assert [concept["text"] for concept in run["concepts"]] == ["a red book", "a yellow vase"]
    assert [method["name"] for method in run["methods"]] == ["cfg", "sgt-balanced"]
    assert run["methods"][1]["parameters"]["strength"] == 0.5
    assert (run["seeds"], run["negative_prompt"], run["device"], run["model"]) == ([5], "blurry", "cpu", str(tiny))
    assert run["sampling"] == {"num_inference_steps": 2, "guidance_scale": 7.5, "height": 64, "width": 64}
    assert described["environment"]["checkpoint"].startswith("sha256:")
    assert {"torch", "diffusers", "semguide"} <= set(described["environment"]["versions"])


def test_run_json_has_cost_and_hash_of_every_image_and_the_order_of_the_seeds(generate: Cli, out: Path):
    result = generate("--compare", "cfg", "--num-images", 2, "--set", "stop=1.0")
    cfg, sgt, _, other = run_json(out)["images"]
    assert (cfg["evaluations"], sgt["evaluations"]) == (2 * 2, 2 * 2 + 2 * 2)
    assert {entry["file"].removeprefix("images/"): entry["pixels"] for entry in run_json(out)["images"]} == pixels(out)
    assert sgt["seconds"] > 0
    assert [cfg[name] for name in ("alignment", "alignment_rank")] == [None, None]
    assert sgt["alignment"] is None
    assert {sgt["alignment_rank"], other["alignment_rank"]} == {1, 2}
    order = "0, 1" if sgt["alignment_rank"] == 1 else "1, 0"
    assert f"most likely right first: seeds {order} (an order without probabilities" in result.stdout


def test_alignment_is_a_probability_where_it_is_fitted_for_the_model(
    generate: Cli, out: Path, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setenv("SEMGUIDE_DATA", str(tmp_path / "data"))
    fingerprint = folder_weights_fingerprint(tiny)
    assert fingerprint is not None
    file = calibration_file(fingerprint)
    file.parent.mkdir(parents=True)
    Calibration(fingerprint, 0.5, 0.0).write(file)
    generate("--num-images", 2, "--set", "stop=1.0")
    first, second = run_json(out)["images"]
    assert [entry["concept"] for entry in first["alignment"]] == ["a red book", "a yellow vase"]
    assert [entry["probability"] for entry in first["alignment"]] == pytest.approx([1 / (1 + np.exp(-0.5))] * 2)
    assert {first["alignment_rank"], second["alignment_rank"]} == {1, 2}


def test_each_png_holds_its_parameters_and_trace(generate: Cli, out: Path):
    generate("--num-images", 1, "--seed", 3)
    _, texts = read_png(out / "images" / "sgt-balanced-3.png")
    assert texts[RECORD]["parameters"]["prompt"] == "a red book and a yellow vase"
    assert texts[RECORD]["parameters"]["seed"] == 3
    assert texts[TRACE]["concepts"] == ["a red book", "a yellow vase"]
    assert len(texts[TRACE]["similarity"]) == 2


def test_an_image_of_a_run_of_four_equals_the_image_made_alone(generate: Cli, out: Path, tmp_path: Path):
    generate("--num-images", 4)
    generate("--num-images", 1, "--seed", 2, out=tmp_path / "alone")
    assert pixels(tmp_path / "alone")["sgt-balanced-2.png"] == pixels(out)["sgt-balanced-2.png"]


def test_seeds_and_methods_make_different_images(generate: Cli, out: Path):
    generate("--num-images", 2, "--compare", "cfg", "--set", "strength=3", "--set", "sharpness=1", "--set", "stop=1")
    assert len(set(pixels(out).values())) == 4


def test_a_run_repeats_bit_for_bit_from_its_run_json(generate: Cli, cli: Cli, out: Path, tmp_path: Path):
    generate("--compare", "cfg", "--num-images", 2)
    result = cli("generate", "--from", out / "run.json")
    assert (result.exit_code, result.stderr) == (0, "")
    assert "4 of 4 images compared with the record: all equal, bit for bit" in result.stdout
    assert pixels(tmp_path / "out-repeat") == pixels(out)


def test_a_repeat_that_differs_from_its_record_fails_naming_the_image(generate: Cli, cli: Cli, out: Path):
    generate("--num-images", 2)
    described = run_json(out)
    described["images"][1]["pixels"] = "sha256:0"
    (out / "run.json").write_text(json.dumps(described))
    result = cli("generate", "--from", out)
    assert result.exit_code == 1
    assert "error: 1 of 2 repeated images differ from the recorded ones (sgt-balanced-1)" in result.stderr


def test_a_repeat_of_an_edited_run_says_so(generate: Cli, cli: Cli, out: Path):
    generate("--num-images", 1)
    described = run_json(out)
    described["run"]["seeds"] = [7]
    (out / "run.json").write_text(json.dumps(described))
    result = cli("generate", "--from", out / "run.json")
    assert "warning: not as recorded: the run: its file was edited" in result.stderr
    assert "0 of 1 images compared: the record has none of them" in result.stdout


def test_a_repeat_warns_of_another_version_and_checkpoint(generate: Cli, cli: Cli, out: Path):
    generate("--num-images", 1)
    described = run_json(out)
    described["environment"]["checkpoint"] = "sha256:1"
    described["environment"]["versions"]["torch"] = "1.0"
    (out / "run.json").write_text(json.dumps(described))
    result = cli("generate", "--from", out / "run.json")
    assert "warning: not as recorded: checkpoint was sha256:1, is sha256:" in result.stderr
    assert "warning: not as recorded: torch was 1.0, is" in result.stderr


def test_a_moved_checkpoint_can_be_named_beside_from(generate: Cli, cli: Cli, out: Path, tiny: Path, tmp_path: Path):
    generate("--num-images", 1)
    moved = shutil.copytree(tiny, tmp_path / "moved")
    result = cli("generate", "--from", out / "run.json", "--model", moved, "--out", tmp_path / "again")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pixels(tmp_path / "again") == pixels(out)


def test_a_stopped_run_keeps_its_images_and_the_same_command_goes_on(
    generate: Cli, out: Path, tmp_path: Path, stop_at: Callable[[int], None], monkeypatch: pytest.MonkeyPatch
):
    stop_at(3)
    stopped = generate("--num-images", 4)
    assert stopped.exit_code == 1
    assert "stopped: 2 of 4 images are finished in" in stopped.stderr
    assert files(out) == {"run.json", "images/sgt-balanced-0.png", "images/sgt-balanced-1.png"}
    assert run_json(out)["complete"] is False
    finished = {path: path.stat().st_mtime_ns for path in (out / "images").iterdir()}

    monkeypatch.setattr(folder, "write_png", write_png)
    resumed = generate("--num-images", 4)
    assert resumed.exit_code == 0
    assert "4 images (2 of them were there already)" in resumed.stdout
    assert {path: path.stat().st_mtime_ns for path in finished} == finished

    generate("--num-images", 4, out=tmp_path / "unstopped")
    assert pixels(out) == pixels(tmp_path / "unstopped")
    assert run_json(out)["complete"] is True


def test_a_budget_gives_each_method_its_steps_and_is_resumed_and_repeated(
    generate: Cli, cli: Cli, out: Path, tmp_path: Path, stop_at: Callable[[int], None]
):
    arguments = ("--compare", "cfg", "--num-images", 2, "--evaluations", 24)
    stop_at(3)
    assert generate(*arguments).exit_code == 1
    stop_at(0)
    resumed = generate(*arguments)
    assert "(2 of them were there already)" in resumed.stdout
    described = run_json(out)
    assert described["run"]["evaluations"] == 24
    assert described["run"]["methods"][0]["num_inference_steps"] == 12
    assert {image["evaluations"] for image in described["images"] if image["method"] == "cfg"} == {24}
    assert all(22 <= image["evaluations"] <= 24 for image in described["images"])
    repeated = cli("generate", "--from", out, "--out", tmp_path / "again")
    assert "4 of 4 images compared with the record: all equal" in repeated.stdout


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (("--evaluations", "50", "--steps", 3), "--evaluations must not stand beside --steps"),
        (("--evaluations", "all"), "--evaluations must be a whole number >= 1"),
        (("--evaluations", "3", "--method", "cfg"), "--evaluations must be at least 4"),
    ],
)
def test_a_budget_that_cannot_be_kept_is_refused(cli: Cli, tiny: Path, more: tuple[object, ...], told: str):
    result = cli("generate", "a red book and a yellow vase", "--model", tiny, *more)
    assert (result.exit_code, told in result.stderr) == (2, True), result.stderr


def test_the_same_command_again_makes_nothing_again(generate: Cli, out: Path, monkeypatch: pytest.MonkeyPatch):
    generate("--num-images", 2)
    monkeypatch.setattr("semguide.models.load", lambda *_, **__: pytest.fail("the model was loaded"))
    result = generate("--num-images", 2)
    assert result.exit_code == 0
    assert "2 images (2 of them were there already)" in result.stdout


def test_more_images_and_methods_extend_a_run(generate: Cli, out: Path):
    generate("--num-images", 1)
    result = generate("--num-images", 2, "--compare", "cfg")
    assert "4 images (1 of them were there already)" in result.stdout
    assert len(run_json(out)["images"]) == 4


def test_another_run_does_not_replace_one_unless_told_to(generate: Cli, out: Path):
    generate("--num-images", 2)
    before = pixels(out)
    refused = generate("--num-images", 1, "--steps", 3)
    assert refused.exit_code == 2
    assert "--out must not hold images that this run would drop" in refused.stderr
    assert pixels(out) == before
    assert generate("--num-images", 1, "--steps", 3, "--overwrite").exit_code == 0
    assert set(pixels(out)) == {"sgt-balanced-0.png"}
    assert run_json(out)["run"]["sampling"]["num_inference_steps"] == 3


def test_a_folder_with_other_files_is_refused_and_never_emptied(generate: Cli, out: Path):
    out.mkdir()
    (out / "thesis.txt").write_text("mine")
    refused = generate("--num-images", 1)
    assert refused.exit_code == 2
    assert "--out must be new, empty or the folder of an earlier run, with no other files" in refused.stderr
    assert files(out) == {"thesis.txt"}
    assert generate("--num-images", 1, "--overwrite").exit_code == 0
    assert (out / "thesis.txt").read_text() == "mine"


def test_a_damaged_image_is_made_again(generate: Cli, out: Path):
    generate("--num-images", 2)
    before = pixels(out)
    (out / "images" / "sgt-balanced-1.png").write_bytes(b"damaged")
    result = generate("--num-images", 2)
    assert "(1 of them were there already)" in result.stdout
    assert pixels(out) == before


@pytest.mark.parametrize("prompt", ["!!! ???", "12345", "und dann aber nicht"])
def test_a_prompt_without_concept_is_made_plainly_with_a_warning(generate: Cli, out: Path, prompt: str):
    result = generate("--num-images", 1, "--compare", "cfg", prompt=prompt)
    assert result.exit_code == 0
    assert re.search(r"warning: no concepts .*; name the concepts, or use the llm back end", result.stderr)
    assert run_json(out)["run"]["methods"] == [{"name": "cfg", "parameters": {}}]
    assert {"grid.png", "trajectory.png", "images/cfg-0.png"} <= files(out)


def test_a_method_without_concepts_needs_none_in_the_prompt(generate: Cli, out: Path):
    result = generate("--num-images", 1, "--method", "apg", "--compare", "cfg", prompt="12345")
    assert (result.exit_code, "warning" in result.stderr) == (0, False), result.stderr
    assert [method["name"] for method in run_json(out)["run"]["methods"]] == ["cfg", "apg"]
    images = [record["evaluations"] for record in run_json(out)["images"]]
    assert images[0] == images[1]


def test_concepts_given_by_hand_replace_the_decomposition(generate: Cli, out: Path):
    generate("--num-images", 1, "--concept", "a yellow vase", "--concept", "the moon")
    assert [concept["text"] for concept in run_json(out)["run"]["concepts"]] == ["a yellow vase", "the moon"]


@pytest.mark.parametrize(
    ("prompt", "options", "told"),
    [
        ("a cat", (), "warning: the only concept is 'a cat', and sgt-balanced balances concepts against each other"),
        ("a cat and a dog", ("--method", "sega"), "warning: sega acts at none of the 2 steps"),
    ],
)
def test_a_rule_that_never_acts_is_told_once(generate: Cli, prompt: str, options: tuple[str, ...], told: str):
    result = generate("--num-images", 2, *options, prompt=prompt)
    assert result.exit_code == 0, result.stderr
    (warning,) = [line for line in result.stderr.splitlines() if line.startswith("warning: ")]
    assert warning.startswith(told)


def test_a_concept_alone_is_drawn_once_and_nothing_else_is_recorded(generate: Cli, out: Path):
    result = generate("--num-images", 1, "--compare", "cfg", prompt="a cat")
    assert "1 image of cfg" in result.stdout
    description = run_json(out)
    assert description["run"]["methods"] == [{"name": "cfg", "parameters": {}}]
    assert [image["file"] for image in description["images"]] == ["images/cfg-0.png"]


def test_a_prompt_over_the_limit_gets_a_warning_with_what_is_cut(generate: Cli):
    result = generate("--num-images", 1, prompt="a red book " + "on a very large wooden table " * 4 + "near a vase")
    assert result.exit_code == 0
    (warning,) = [line for line in result.stderr.splitlines() if "cuts off" in line]
    assert warning.startswith("warning: ")
    assert "near a vase" in warning


def test_concepts_over_the_most_or_beyond_the_encoder_are_left_out_told_and_recorded(generate: Cli, out: Path):
    long = "a red book, a cat and a dog " + "on a very large wooden table " * 3 + "near a vase"
    result = generate("--num-images", 1, "--max-concepts", 2, prompt=long)
    (warning,) = [line for line in result.stderr.splitlines() if "are steered" in line]
    assert "'a vase' (beyond what the text encoder reads)" in warning
    assert warning.endswith("name those to keep with --concept, or raise --max-concepts")
    run = run_json(out)["run"]
    assert run["max_concepts"] == len(run["concepts"]) == 2


def test_a_negative_prompt_changes_the_image(generate: Cli, out: Path, tmp_path: Path):
    generate("--num-images", 1, "--method", "cfg")
    generate("--num-images", 1, "--method", "cfg", "--negative", "blue", out=tmp_path / "negative")
    assert pixels(out) != pixels(tmp_path / "negative")


def test_full_trace_records_plain_guidance_too_and_leaves_the_image(generate: Cli, out: Path, tmp_path: Path):
    generate("--num-images", 1, "--method", "cfg")
    generate("--num-images", 1, "--method", "cfg", "--full-trace", out=tmp_path / "full")
    traces = [read_png(folder / "images" / "cfg-0.png")[1][TRACE] for folder in (out, tmp_path / "full")]
    assert traces[0]["similarity"] == [[None, None]] * 2
    assert all(value is not None for row in traces[1]["similarity"] for value in row)
    assert pixels(out) == pixels(tmp_path / "full")


def test_parameters_of_a_compared_method_are_set_by_its_name(generate: Cli, out: Path):
    generate("--num-images", 1, "--compare", "sgt-v2", "--set", "sgt-v2.warmup_steps=0", "--set", "strength=2")
    v2, sgt = run_json(out)["run"]["methods"]
    assert (v2["parameters"]["warmup_steps"], sgt["parameters"]["strength"]) == (0, 2)


def test_size_steps_and_scale_can_be_chosen(generate: Cli, out: Path):
    generate("--num-images", 1, "--height", 48, "--width", 96, "--guidance-scale", 3, "--steps", 1)
    assert read_png(out / "images" / "sgt-balanced-0.png")[0].size == (96, 48)
    assert run_json(out)["run"]["sampling"] == {
        "num_inference_steps": 1,
        "guidance_scale": 3.0,
        "height": 48,
        "width": 96,
    }


def test_without_out_a_run_finds_its_own_folder_again(cli: Cli, tiny: Path):
    command = ("generate", "A red book!", "--model", tiny, "--steps", 1, "--num-images", 1)
    assert cli(*command).exit_code == 0
    assert "(1 of them were there already)" in cli(*command).stdout
    (folder,) = Path("out").iterdir()
    assert folder.name.startswith("a-red-book-")


def test_a_failure_while_making_is_one_sentence_and_exit_code_1(
    generate: Cli, out: Path, monkeypatch: pytest.MonkeyPatch
):
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no\nmemory")

    monkeypatch.setattr("semguide.runs.generation.generate_image", broken)
    result = generate("--num-images", 1)
    assert (result.exit_code, result.stderr) == (1, "error: RuntimeError: no memory\n")
    monkeypatch.setenv("SEMGUIDE_DEBUG", "1")
    assert "Traceback" in generate("--num-images", 1).stderr


@pytest.mark.skipif(not embedded(), reason="no checkpoint is embedded")
def test_the_embedded_checkpoint_is_the_default_model(cli: Cli, tmp_path: Path):
    result = cli("generate", "a red car and a blue apple", "--steps", 2, "--num-images", 1, "--out", tmp_path / "out")
    assert (result.exit_code, result.stderr) == (0, "")
    assert run_json(tmp_path / "out")["run"]["model"] == "emoji-unet"


def test_a_method_is_named_as_the_call_did_and_its_alias_makes_the_same_image(
    generate: Cli, cli: Cli, out: Path, tmp_path: Path
):
    result = generate("--method", "sgt", "--num-images", 1, "--set", "stop=1.0")
    generate("--num-images", 1, "--set", "stop=1.0", out=tmp_path / "default")
    assert "1 image of sgt:" in result.stdout
    assert pixels(out) == {"sgt-0.png": pixels(tmp_path / "default")["sgt-balanced-0.png"]}
    assert [method["name"] for method in run_json(out)["run"]["methods"]] == ["sgt"]
    repeat = cli("generate", "--from", out / "run.json")
    assert "1 of 1 images compared with the record: all equal, bit for bit" in repeat.stdout


def test_more_and_less_change_the_image_and_are_recorded_and_repeated(
    generate: Cli, cli: Cli, out: Path, tmp_path: Path
):
    one = ("--num-images", 1, "--steps", 4)
    generate(*one, "--out", tmp_path / "plain")
    result = generate(*one, "--more", "a hat", "--less", "snow:3;stop=0.5")
    assert (result.exit_code, result.stderr) == (0, "")
    assert pixels(out) != pixels(tmp_path / "plain")
    recorded = run_json(out)
    (hat, snow) = recorded["run"]["edits"]["each"]
    assert (hat["text"], hat["direction"], hat["scale"]) == ("a hat", "more", 5.0)
    assert (snow["text"], snow["direction"], snow["scale"], snow["stop"]) == ("snow", "less", 3.0, 0.5)
    assert recorded["images"][0]["evaluations"] == run_json(tmp_path / "plain")["images"][0]["evaluations"] + 4 + 2
    repeat = cli("generate", "--from", out / "run.json")
    assert "all equal, bit for bit" in repeat.stdout


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (("--less", "snow:-1"), "--less must have a scale > 0"),
        (("--more", "snow;end=1"), "--more must be TEXT:SCALE;KEY=NUMBER"),
        (("--more", "snow", "--less", "Snow"), "--less must not ask for more and for less of one thing, got 'Snow'"),
        (("--more", "a hat", "--method", "cdg"), "--more and --less must not stand beside the method cdg"),
    ],
)
def test_edits_that_cannot_be_are_refused_in_one_sentence(generate: Cli, options: tuple[str, ...], told: str):
    result = generate(*options)
    assert result.exit_code == 2
    assert result.stderr.count("\n") == 1
    assert told in result.stderr
