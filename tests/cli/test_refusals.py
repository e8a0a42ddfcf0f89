"""The whole folder: what the command refuses, in one sentence and before any work."""

import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

Cli = Callable[..., Result]


def refused(result: Result, named: str, out: Path) -> None:
    """The command ended with 2 and one sentence that names the argument, and left no output."""
    assert result.exit_code == 2, result.output
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
    assert named in result.stderr
    assert not out.exists()


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--method", "sgtt"], "--method must be one of sgt-balanced, sgt-v1, sgt-v2, cfg, "),
        (["--compare", "nothing"], "--compare must be one of"),
        (["--steps", "0"], "--steps"),
        (["--steps", "1001"], "--steps"),
        (["--steps", "-1"], "--steps"),
        (["--guidance-scale", "nan"], "--guidance-scale"),
        (["--guidance-scale", "inf"], "--guidance-scale"),
        (["--guidance-scale", "0"], "--guidance-scale must be from 1 (no guidance"),
        (["--guidance-scale", "1", "--method", "sgt-v1"], "--method must be sgt-balanced or cfg"),
        (["--guidance-scale", "-7.5"], "--guidance-scale"),
        (["--guidance-scale", "1e9"], "--guidance-scale"),
        (["--num-images", "0"], "--num-images"),
        (["--retries", "-1"], "--retries must be from 0 to 100"),
        (["--retries", "3", "--method", "cfg"], "--retries must stand beside a method that steers"),
        (["--retries", "3", "--best-of", "4"], "--retries must not stand beside --best-of"),
        (["--num-images", "-4"], "--num-images"),
        (["--num-images", "1000000000000"], "--num-images"),
        (["--seed", "-1"], "--seed"),
        (["--seed", str(2**63 - 1)], "--seed"),
        (["--height", "65"], "--height must be a multiple of 8"),
        (["--width", "100"], "--width must be a multiple of 8"),
        (["--height", "0"], "--height"),
        (["--width", "-64"], "--width"),
        (["--height", "8"], "--height must be from 16 to 4096"),
        (["--width", "8000"], "--width must be from 16 to 4096"),
        (["--device", "cuda:99"], "--device must be auto or a device of this machine ("),
        (["--device", "abacus"], "--device must be auto"),
        (["--backend", "oracle"], "--backend must be one of lexicon, spacy, llm"),
        (["--concept", " "], "--concept"),
        (["--set", "strength"], "--set must be KEY=VALUE"),
        (["--set", "strenght=1"], "did you mean 'strength'?"),
        (["--set", "strength=-1"], "strength must be"),
        (["--set", "strength=NaN"], "strength must be"),
        (["--set", "strength=lots"], "strength must be"),
        (["--set", "guidance_scale=3"], "--guidance-scale"),
        (["--set", "sgt-v1.upper_bound=0.5"], "--set must be of a method of the run: sgt-balanced, got 'sgt-v1'"),
        (["--method", "cfg", "--set", "strength=1"], "--set must name a parameter of cfg"),
    ],
)
def test_a_wrong_argument_is_refused_before_any_work(generate: Cli, tmp_path: Path, arguments: list[str], named: str):
    refused(generate(*arguments), named, tmp_path / "out")


@pytest.mark.parametrize("prompt", ["", "   ", "\n"])
def test_an_empty_prompt_is_refused(generate: Cli, tmp_path: Path, prompt: str):
    refused(generate(prompt=prompt), "PROMPT must hold some text", tmp_path / "out")


@pytest.mark.parametrize(
    ("arguments", "prompt", "named"),
    [
        ([], "a cat " * 2000, "PROMPT must be at most 10000 characters, got 12000"),
        (["--negative", "x" * 10_001], "a cat", "--negative must be at most 10000 characters"),
        (["--concept", "x" * 10_001], "a cat", "--concept must be at most 10000 characters"),
        ([], "a cat \udcff", "PROMPT must be Unicode text"),
    ],
)
def test_texts_that_no_text_encoder_reads_are_refused(
    generate: Cli, tmp_path: Path, arguments: list[str], prompt: str, named: str
):
    refused(generate(*arguments, prompt=prompt), named, tmp_path / "out")


def test_no_prompt_at_all_is_refused(cli: Cli, tmp_path: Path):
    refused(cli("generate", "--out", tmp_path / "out"), "PROMPT must hold some text", tmp_path / "out")


@pytest.mark.parametrize("model", ["emoji-umet", "/no/such/folder", "a/b/c", ""])
def test_an_unknown_model_is_refused(cli: Cli, tmp_path: Path, model: str):
    refused(cli("generate", "a cat", "--model", model, "--out", tmp_path / "out"), "--model must be", tmp_path / "out")


def test_a_folder_that_is_no_checkpoint_is_refused_naming_what_is_missing(cli: Cli, tmp_path: Path):
    result = cli("generate", "a cat", "--model", tmp_path, "--out", tmp_path / "out")
    refused(result, "--model must be a diffusers checkpoint, with a model_index.json", tmp_path / "out")


def test_a_pipeline_that_cannot_be_steered_is_refused(cli: Cli, tmp_path: Path):
    (tmp_path / "model_index.json").write_text(json.dumps({"_class_name": "FluxKontextPipeline"}))
    result = cli("generate", "a cat", "--model", tmp_path, "--out", tmp_path / "out")
    refused(result, "is a FluxKontextPipeline", tmp_path / "out")


def test_sizes_outside_the_trained_range_are_refused(cli: Cli, tiny: Path, tmp_path: Path):
    model = Path(shutil.copytree(tiny, tmp_path / "model"))
    (model / "semguide.json").write_text(json.dumps({"smallest": 64, "largest": 64}))
    result = cli("generate", "a cat", "--model", model, "--width", "128", "--out", tmp_path / "out")
    refused(result, "--width must be from 64 to 64", tmp_path / "out")


@pytest.mark.parametrize("below", ["", "below"])
def test_an_output_folder_that_is_a_file_is_refused(generate: Cli, tmp_path: Path, below: str):
    (tmp_path / "file").write_text("mine")
    result = generate(out=tmp_path / "file" / below)
    refused(result, "--out must be a folder", tmp_path / "out")
    assert (tmp_path / "file").read_text() == "mine"


@pytest.mark.skipif(os.name != "posix" or os.geteuid() == 0, reason="permissions do not bind this user")
def test_an_output_folder_without_permission_is_refused(generate: Cli, tmp_path: Path):
    (tmp_path / "locked").mkdir(mode=0o500)
    refused(generate(out=tmp_path / "locked" / "out"), "--out must be writable", tmp_path / "locked" / "out")


def test_an_output_folder_that_cannot_be_made_is_refused(
    generate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "mkdir", full)
    refused(generate(), "--out must be writable", tmp_path / "out")


@pytest.mark.parametrize(
    "content", [None, "{", "[]", '{"format": "other"}', '{"format": "semguide-run", "version": 9}']
)
def test_from_something_that_is_no_run_json_is_refused(cli: Cli, tmp_path: Path, content: str | None):
    if content is not None:
        (tmp_path / "run.json").write_text(content)
    refused(cli("generate", "--from", tmp_path / "run.json"), "--from must be a run.json", Path("out"))


@pytest.fixture
def recorded(generate: Cli, tmp_path: Path) -> Path:
    generate("--num-images", 1, out=tmp_path / "recorded")
    return tmp_path / "recorded" / "run.json"


@pytest.mark.parametrize(
    ("beside", "named"),
    [
        (["--seed", "3"], "--seed"),
        (["a cat"], "PROMPT"),
        (["--set", "strength=1"], "--set"),
        (["--full-trace"], "--full"),
    ],
)
def test_options_that_would_make_another_run_are_refused_beside_from(
    cli: Cli, recorded: Path, beside: list[str], named: str
):
    result = cli("generate", "--from", recorded, *beside)
    refused(result, f"--from must not stand beside {named}", recorded.parent.with_name("recorded-repeat"))


def test_a_repeat_into_the_runs_own_folder_is_refused(cli: Cli, recorded: Path):
    result = cli("generate", "--from", recorded, "--out", recorded.parent)
    refused(result, "--out must be another folder", recorded.parent.with_name("recorded-repeat"))


@pytest.mark.parametrize(
    ("path", "value", "named"),
    [
        (["sampling", "num_inference_steps"], 0, "--steps"),
        (["sampling", "guidance_scale"], 0.5, "--guidance-scale"),
        (["sampling", "height"], 63, "height"),
        (["seeds"], [], "--num-images"),
        (["seeds"], [1, 1], "--seed"),
        (["methods"], [], "methods"),
        (["methods", 0, "name"], "nothing", "method"),
        (["methods", 0, "parameters", "strength"], -1, "strength"),
        (["model"], "nothing", "model"),
        (["device"], "abacus", "device"),
        (["prompt"], "", "PROMPT"),
        (["concepts", 0, "text"], "", "--concept"),
    ],
)
def test_a_run_json_is_checked_like_a_command(cli: Cli, recorded: Path, path: list, value: object, named: str):
    description = json.loads(recorded.read_text())
    inner = description["run"]
    for key in path[:-1]:
        inner = inner[key]
    inner[path[-1]] = value
    recorded.write_text(json.dumps(description))
    refused(cli("generate", "--from", recorded), named, recorded.parent.with_name("recorded-repeat"))


def test_unknown_options_end_with_code_2(cli: Cli):
    assert cli("generate", "a cat", "--colour", "red").exit_code == 2
    assert cli("paint").exit_code == 2
    assert cli("generate", "a cat", "--steps", "many").exit_code == 2


@pytest.mark.parametrize(
    ("arguments", "named"),
    [
        (["--dtype", "float64"], "--dtype must be one of auto, float32, bfloat16, float16"),
        (["--dtype", "float16", "--device", "cpu"], "--dtype must not be float16 on the CPU"),
        (["--offload", "disk"], "--offload must be one of none, model, group, sequential"),
        (["--offload", "model", "--device", "cpu"], "name an accelerator with --device"),
        (["--variant", "fp16"], "--variant must be one that the checkpoint has"),
        (["--scheduler", "Euler"], "--scheduler must be a scheduler of diffusers that goes with"),
        (["--lora", "nowhere.safetensors:0.5"], "--lora must be a .safetensors file that is there"),
        (["--lora", "nowhere.safetensors:nan"], "--lora must have a finite scale"),
        (["--embedding", "nowhere.pt"], "--embedding must be a .safetensors file that is there"),
        (["--config", "nowhere"], "--config must be left out for a folder"),
    ],
)
def test_load_options_that_do_not_go_together_are_refused_before_anything_loads(
    arguments: list[str], named: str, generate: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("semguide.models.load", lambda *_: pytest.fail("the model was loaded"))
    refused(generate(*arguments), named, tmp_path / "out")
