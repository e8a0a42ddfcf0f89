"""Nodes and scripts need neither diffusers nor transformers, whose versions are the host's own."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
PLUGINS = ("support.without_diffusers", "adapters.hosts.comfyui.conftest")
EACH_ONCE = ("comfyui/test_nodes.py", "comfyui/pack", "forge/extension")
"""Tests that call every node and the script."""
REST = (*(f"comfyui/test_{name}.py" for name in ("guider", "model_patch", "schema", "encoding")), "test_rules.py")


@pytest.mark.parametrize("tests", [EACH_ONCE, pytest.param(REST, marks=pytest.mark.slow)], ids=["each once", "rest"])
def test_nodes_and_the_forge_script_work_where_both_are_blocked(tests: tuple[str, ...]):
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    files = [str(HERE / name) for name in tests]
    command = [sys.executable, "-m", "pytest", "--noconftest", "-p", "no:cacheprovider", *plugins, "-q", *files]
    paths = os.pathsep.join([str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
