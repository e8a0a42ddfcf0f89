"""Nodes and scripts need neither diffusers nor transformers, whose versions are the host's own."""

import os
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent
PLUGINS = ("support.without_diffusers", "adapters.hosts.comfyui.conftest")


def test_nodes_and_the_forge_script_work_where_both_are_blocked():
    tests = [
        HERE / name
        for name in (
            *(f"comfyui/test_{name}.py" for name in ("nodes", "guider", "model_patch", "schema", "encoding")),
            "comfyui/pack",
            "forge/extension",
            "test_rules.py",
        )
    ]
    plugins = [word for name in PLUGINS for word in ("-p", name)]
    command = [
        sys.executable,
        "-m",
        "pytest",
        "--noconftest",
        "-p",
        "no:cacheprovider",
        *plugins,
        "-q",
        *map(str, tests),
    ]
    paths = os.pathsep.join([str(HERE.parents[1]), *filter(None, [os.environ.get("PYTHONPATH")])])
    done = subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=300, env={**os.environ, "PYTHONPATH": paths}
    )
    assert done.returncode == 0, done.stdout
    assert "passed" in done.stdout
