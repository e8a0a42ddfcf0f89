from __future__ import annotations

import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.foreign_warnings import pytest_itemcollected
from support.tiny.calls import fresh
from support.tiny.pipelines import tiny
from support.tiny.stable_diffusion import quiet, save_tiny_checkpoint, tiny_sdxl

__all__ = ["pytest_itemcollected"]


@pytest.fixture(scope="session")
def stand_ins(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """Pipeline class -> what is loaded where a page says `from_pretrained("your/checkpoint")`."""
    from diffusers import StableDiffusionPipeline

    folder = save_tiny_checkpoint(tmp_path_factory.mktemp("checkpoint") / "tiny-sd")
    tiny_sd = StableDiffusionPipeline.from_pretrained(folder, use_safetensors=True)
    return {
        "StableDiffusionPipeline": quiet(tiny_sd),
        "StableDiffusionXLPipeline": tiny_sdxl(),
        "WanPipeline": tiny("WanPipeline"),
    }


@pytest.fixture(scope="session")
def loaded() -> Any:
    """Load each checkpoint folder once in this process."""
    from diffusers import DiffusionPipeline

    original = DiffusionPipeline.from_pretrained.__func__  # pyright: ignore[reportFunctionMemberAccess]
    found: dict[tuple[Any, Path], Any] = {}

    def load(pipeline_class: Any, folder: Path, options: dict[str, Any]) -> Any:
        key = pipeline_class, folder
        if key not in found:
            given = {**options, "use_safetensors": True, "local_files_only": True}
            found[key] = quiet(original(pipeline_class, folder, **given))
        return found[key]

    return load


@pytest.fixture
def reader(stand_ins: dict[str, Any], loaded: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty working folder of somebody who tries what a page shows, with tiny models for the ones to download."""
    from diffusers import DiffusionPipeline

    def from_pretrained(cls: Any, name: Any, **options: Any) -> Any:
        if Path(name).is_dir():
            return fresh(loaded(cls, Path(name).resolve(), options))
        assert cls.__name__ in stand_ins, f"no tiny {cls.__name__} stands in for {name!r}: add one to stand_ins"
        return fresh(stand_ins[cls.__name__])

    own_to = DiffusionPipeline.to

    def to(pipe: Any, *args: Any, **options: Any) -> Any:
        return pipe if args == ("cuda",) else own_to(pipe, *args, **options)

    monkeypatch.setattr(DiffusionPipeline, "from_pretrained", classmethod(from_pretrained))
    monkeypatch.setattr(DiffusionPipeline, "to", to)
    monkeypatch.setattr(DiffusionPipeline, "enable_model_cpu_offload", lambda *_: None)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "200")
    for library in ("TRANSFORMERS", "DIFFUSERS", "HF_HUB"):  # the command sets these; so they are reset after a test
        monkeypatch.setenv(f"{library}_VERBOSITY", "error")
    return tmp_path


@pytest.fixture(scope="session")
def server() -> Iterator[str]:
    """The address of a `semguide serve` with the embedded checkpoint, ended after the tests."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{free.getsockname()[1]}"
    command = "from semguide.cli.main import main; main()"
    arguments = [sys.executable, "-c", command, "serve", "--port", address.split(":")[1]]
    with subprocess.Popen(arguments, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            _wait_until_ready(f"http://{address}/readyz", process)
            yield address
        finally:
            process.terminate()


def _wait_until_ready(url: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(600):
        assert process.poll() is None, "semguide serve ended before it was ready"
        try:
            with urllib.request.urlopen(url, timeout=5):
                return
        except OSError:
            time.sleep(0.5)
    raise AssertionError(f"{url} does not answer")
