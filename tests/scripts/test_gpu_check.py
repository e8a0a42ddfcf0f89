"""The check of an accelerator, on tiny models on the CPU."""

from __future__ import annotations

import importlib.util
import json
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

pytestmark = [
    pytest.mark.skipif(not hasattr(signal, "SIGALRM"), reason="the script's time limits need SIGALRM"),
    pytest.mark.filterwarnings("ignore"),  # of diffusers, about which the script can do nothing
]
SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "gpu_check.py"


@pytest.fixture(scope="module")
def script() -> Iterator[Any]:
    before = list(sys.path)
    spec = importlib.util.spec_from_file_location("gpu_check", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["gpu_check"] = module  # where dataclasses look
    spec.loader.exec_module(module)
    sys.path[:] = before
    yield module
    del sys.modules["gpu_check"]


def run(script: Any, out: Path, *arguments: str) -> tuple[int, dict[str, Any]]:
    code = script.main(["--toy", "--out", str(out), *arguments])
    return code, json.loads((out / "gpu_check.json").read_text())


MEASURED = ["batch 1", "loop", "batch 4", "batch 4, image by image"]
ROWS = {
    "sdxl": MEASURED,
    "sd3": MEASURED,
    "rules": ["sdxl", "flux", "wan"],
    "emoji": ["float32", "float16", "bfloat16"],
    "offload": ["batch 1"],
}


@pytest.mark.parametrize("sections", [["sdxl"], pytest.param(list(ROWS), marks=pytest.mark.slow)], ids=["one", "all"])
def test_the_toy_run_measures_without_a_tagger(
    script: Any,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    sections: list[str],
) -> None:
    for name in ("textblob", "textblob.en", "typer", "rich", "matplotlib", "pyarrow"):
        monkeypatch.setitem(sys.modules, name, None)
    code, results = run(script, tmp_path, "--only", *sections)
    assert [section["error"] for section in results["sections"].values()] == [None] * len(sections)
    assert code == 0
    assert "toy size" in capsys.readouterr().out
    assert {name: list(section["rows"]) for name, section in results["sections"].items()} == {
        name: ROWS[name] for name in sections
    }
    assert results["ok"]["difference"], "the same seed must make the same picture"
    assert results["ok"]["time"] is None, "times at toy size say nothing"
    for name in ROWS["emoji"] if "emoji" in sections else ():
        with Image.open(tmp_path / f"emoji-{name}.png") as picture:
            assert picture.width == picture.height > 0


@pytest.mark.slow
def test_a_compiled_model_is_measured(tmp_path: Path) -> None:
    """In a process of its own: the compiler cannot read the checks of shapes that the tests install."""
    command = [sys.executable, str(SCRIPT), "--toy", "--out", str(tmp_path), "--only", "compiled"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "compiled: done" in done.stdout


def test_a_section_that_fails_or_takes_too_long_loses_no_other(
    script: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(_setting: Any) -> Iterator[Any]:
        yield "first", {}
        raise ValueError("out of order")

    def slow(_setting: Any) -> Iterator[Any]:
        time.sleep(60)
        yield "never", {}

    def far_off(setting: Any) -> Iterator[Any]:
        yield "one", {"difference": setting.judged("difference", 0.5)}

    monkeypatch.setattr(script, "SECTIONS", {"a": (9, fails), "b": (0.05, slow), "c": (9, far_off)})
    code, results = run(script, tmp_path)
    first, second, third = results["sections"].values()
    assert first["rows"] == {"first": {}}
    assert "out of order" in first["error"]
    assert second["rows"] == {}
    assert "TimeoutError" in second["error"]
    assert third["error"] is None
    assert results["ok"]["difference"] is False
    assert code == 1


@pytest.mark.parametrize(("value", "ok"), [(None, None), (1.02, True), (1.03, False)])
def test_a_limit_is_judged_where_it_can_be_told(script: Any, tmp_path: Path, value: float | None, ok: Any) -> None:
    setting = script.Setting(script.torch.device("cuda"), False, tmp_path)
    assert setting.judged("time", value) == {"value": value, "limit": 1.02, "ok": ok}
