import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from typer.testing import Result

from semguide.evaluation.bench.plan import Bench
from semguide.evaluation.bench.request import BenchRequest, plan_bench
from semguide.models import LoadOptions
from semguide.server.served_models import find_models
from support.refusals import refuses

Cli = Callable[..., Result]
DDPM = LoadOptions(scheduler="DDPMScheduler")


def described(out: Path) -> dict[str, Any]:
    return json.loads((out / "run.json").read_text())


def test_a_run_keeps_how_its_model_was_loaded_and_repeats_it(generate: Cli, cli: Cli, tmp_path: Path):
    out = tmp_path / "out"
    result = generate("--dtype", "bfloat16", "--scheduler", "DDPMScheduler", "--num-images", 1)
    assert result.exit_code == 0, result.stderr
    first = described(out)
    assert LoadOptions.from_json(first["run"]["loading"]) == LoadOptions(dtype="bfloat16", scheduler="DDPMScheduler")
    assert first["environment"]["dtype"] == "bfloat16"
    repeat = cli("generate", "--from", out)
    assert repeat.exit_code == 0, repeat.stderr
    assert "all equal, bit for bit" in repeat.stdout


def test_the_defaults_leave_no_trace_in_run_json(generate: Cli, tmp_path: Path):
    assert generate("--num-images", 1, "--dtype", "auto", "--offload", "none").exit_code == 0
    assert "loading" not in described(tmp_path / "out")["run"]


def test_another_loading_is_another_run(generate: Cli):
    assert generate("--num-images", 1).exit_code == 0
    result = generate("--num-images", 1, "--vae-tiling")
    assert result.exit_code == 2
    assert "--out must not hold images that this run would drop" in result.stderr


def planned(tiny: Path, suite: Path, loading: LoadOptions) -> Bench:
    suite.write_text("prompt\na cat and a dog\n")
    return plan_bench(
        BenchRequest(
            str(suite), "cfg", model=str(tiny), judge="none", split="all", num_inference_steps=2, loading=loading
        )
    ).bench


def test_a_benchmark_keeps_how_its_model_is_loaded(tiny: Path, tmp_path: Path):
    plain, other = (planned(tiny, tmp_path / "suite.csv", loading) for loading in (LoadOptions(dtype="auto"), DDPM))
    assert "loading" not in plain.shared_settings()
    assert other.shared_settings()["loading"] == DDPM.to_json()
    assert other.loading == DDPM
    assert plain.image_id(plain.tasks()[0]) != other.image_id(other.tasks()[0])


def test_a_server_loads_its_model_so(tiny: Path):
    (served,) = find_models([str(tiny)], DDPM, ["cpu"]).values()
    assert served.loading == DDPM


def test_a_server_of_several_models_refuses_what_is_made_for_one(tiny: Path):
    with refuses("scheduler", "several models"):
        find_models([str(tiny), "emoji-unet"], DDPM)


def test_a_server_refuses_what_does_not_go_with_one_of_its_devices(tiny: Path):
    with refuses("dtype"):
        find_models([str(tiny)], LoadOptions(dtype="float16"), ["cuda:0", "cpu"])
