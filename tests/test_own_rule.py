"""A package with the rule of docs/own-rule.md, installed beside semguide, is seen by every interface."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.docs.snippets import ROOT, commands_of, on_page
from support.tiny.stable_diffusion import save_tiny_checkpoint

PAGE = ROOT / "docs" / "own-rule.md"
SEEN = """
import json, sys
from typer.testing import CliRunner
from semguide.adapters.hosts.comfyui.nodes import SemanticGuidanceNode
from semguide.adapters.hosts.rules import build_rule
from semguide.cli.main import app
from semguide.evaluation.bench.method_arguments import check_names, complete
from semguide.evaluation.sampling_methods import SamplingOptions
from semguide.server.replies import methods_reply
from semguide.server.settings import Limits

listed = CliRunner().invoke(app, ["methods", "--json"])
cards = {card.name: card for card in methods_reply(Limits()).methods}
planned = complete("nudge", {"strength": 3}, 7.5, "StableDiffusionPipeline", SamplingOptions(2, 64, 64))
made = CliRunner().invoke(app, ["generate", "a red book and a vase", "--model", sys.argv[1], "--method", "nudge",
    "--num-images", "1", "--steps", "2", "--out", sys.argv[2]])
tried = CliRunner().invoke(app, json.loads(sys.argv[3]))
print(json.dumps({
    "command": [entry["name"] for entry in json.loads(listed.stdout)],
    "warnings": listed.stderr,
    "bench": [check_names("cfg,nudge"), planned.parameters],
    "server": cards["nudge"].model_dump(),
    "comfyui": SemanticGuidanceNode.INPUT_TYPES()["required"]["method"][0],
    "strength": build_rule("nudge", 5.0, 2.0).strength,
    "generate": made.output,
    "tried": [tried.exit_code, tried.output],
}))
"""


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of installed packages: the one of the page, and one whose rule cannot be imported."""
    folder = tmp_path_factory.mktemp("packages")
    (folder / "nudge.py").write_text(next(s.text for s in on_page(PAGE) if "class Nudge" in s.text))
    named = re.findall(r'^(\S+) = "(\S+:\S+)"$', PAGE.read_text(encoding="utf-8"), flags=re.MULTILINE)
    _install(folder, "nudge", "1.0", dict(named))
    _install(folder, "broken", "1.0", {"broken": "no_such_module:Rule"})
    return folder


def _install(folder: Path, name: str, version: str, rules: dict[str, str]) -> None:
    metadata = folder / f"{name}-{version}.dist-info"
    metadata.mkdir()
    (metadata / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    lines = [f"{key} = {value}" for key, value in rules.items()]
    (metadata / "entry_points.txt").write_text("\n".join(["[semguide.rules]", *lines, ""]))


@pytest.fixture(scope="module")
def seen(packages: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What a fresh Python that has the packages sees in each interface."""
    tiny, out = save_tiny_checkpoint(tmp_path_factory.mktemp("models") / "tiny"), tmp_path_factory.mktemp("out")
    path = os.pathsep.join([str(packages), *sys.path])
    command = [sys.executable, "-c", SEEN, str(tiny), str(out / "run"), json.dumps(_first_try(out / "bench"))]
    done = subprocess.run(command, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout.splitlines()[-1])


def _first_try(out: Path) -> list[str]:
    """Return the words of the page's benchmark, with one prompt, few evaluations and another folder."""
    shell = next(s.text for s in on_page(PAGE) if "semguide bench" in s.text)
    (words,) = [words for words in commands_of(shell) if words[:2] == ["semguide", "bench"]]
    fewer = {"--limit": "1", "--evaluations": "8", "--out": str(out)}
    return [fewer.get(before, word) for before, word in pairwise(words)]


def test_the_command_lists_it_and_makes_images_with_it(seen: dict[str, Any]) -> None:
    assert "nudge" in seen["command"]
    assert "1 image of nudge" in seen["generate"]


def test_a_benchmark_takes_it(seen: dict[str, Any]) -> None:
    assert seen["bench"] == [["cfg", "nudge"], {"strength": 3.0}]


def test_the_first_try_of_the_page_runs(seen: dict[str, Any]) -> None:
    code, output = seen["tried"]
    assert code == 0, output
    assert "nudge" in output


def test_the_server_describes_it(seen: dict[str, Any]) -> None:
    strength, every = seen["server"]["parameters"]
    assert every["name"] == "uncond_every"  # which every rule has
    assert strength["meaning"] == "How much is added."
    assert (strength["type"], strength["minimum"], strength["maximum"], strength["off"]) == ("number", 0.0, 100.0, 0.0)
    assert seen["server"]["summary"] == "Add the guidance of every concept that lags behind the others."


def test_the_nodes_offer_it(seen: dict[str, Any]) -> None:
    assert "nudge" in seen["comfyui"]
    assert seen["strength"] == 2.0


def test_a_package_that_is_broken_is_named_in_a_warning(seen: dict[str, Any]) -> None:
    assert "warning: the rule 'broken' of broken is left out (ModuleNotFoundError" in seen["warnings"]
    assert "broken" not in seen["command"]
