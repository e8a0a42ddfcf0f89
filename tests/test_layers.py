"""What may be imported where, and what must stay cheap to import."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest

HEAVY = ("torch", "diffusers", "transformers", "matplotlib", "textblob", "pyarrow", "PIL")


def heavy_after(code: str) -> list[str]:
    """Run code in a new interpreter; returns the heavy packages it has loaded."""
    report = f"import json, sys; print(json.dumps([name for name in {HEAVY!r} if name in sys.modules]))"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{report}"], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def test_importing_semguide_loads_nothing_heavy():
    assert heavy_after("import semguide") == []


def test_importing_the_command_line_loads_nothing_heavy():
    assert heavy_after("import semguide.cli.main") == []


def test_help_prints_without_loading_anything_heavy():
    code = "import sys; sys.argv = ['semguide', '--help']\nfrom semguide.cli.main import main\n"
    assert heavy_after(code + "try: main()\nexcept SystemExit as stop: assert stop.code == 0, stop.code") == []


def test_concepts_know_no_tensors():
    assert "torch" not in heavy_after("from semguide.concepts import decompose; decompose('a red book and a vase')")


def test_scenes_draw_without_torch():
    assert "torch" not in heavy_after("import semguide_emoji.scenes")


def test_guidance_loads_torch_only():
    assert heavy_after("import semguide.guidance") == ["torch"]


def test_every_exported_name_of_the_package_exists():
    import semguide

    assert {"steer", "SGT", "SGTv1", "SGTv2", "CFG", "decompose", "Concept"} <= set(semguide.__all__)
    for name in semguide.__all__:
        assert getattr(semguide, name) is not None


def test_an_unknown_name_of_the_package_is_an_attribute_error():
    import semguide

    with pytest.raises(AttributeError, match="steeer"):
        _ = semguide.steeer  # pyright: ignore[reportAttributeAccessIssue]
