import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version

import pytest
from typer.testing import Result

Cli = Callable[..., Result]
HEAVY = ("torch", "diffusers", "transformers", "matplotlib")
PROBE = """
import sys
from semguide.cli.main import app
try:
    app({arguments!r})
except SystemExit as end:
    code = end.code
print("LOADED", [name for name in {heavy!r} if name in sys.modules], "CODE", code or 0)
"""


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["--version"],
        ["generate", "--help"],
        ["concepts", "a red book and a yellow vase"],
        ["concepts", "a red book", "--json"],
        ["models", "--json"],
    ],
)
def test_light_commands_load_no_heavy_package(arguments: list[str]):
    code = PROBE.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines()[-1] == "LOADED [] CODE 0"
    assert done.stderr == ""


@pytest.mark.parametrize(
    "arguments",
    [
        ["generate", ""],
        ["generate", "a cat", "--model", "emoji-umet"],
        ["generate", "a cat", "--steps", "0"],
        ["generate", "a cat", "--out", sys.executable],
    ],
)
def test_refusals_that_need_no_heavy_package_load_none(arguments: list[str]):
    code = PROBE.format(arguments=arguments, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    assert done.stdout.splitlines()[-1] == "LOADED [] CODE 2"
    assert done.stderr.startswith("error: ")


def test_version_is_the_installed_one(cli: Cli):
    assert cli("--version").stdout == f"semguide {version('semguide')}\n"


def test_the_package_runs_as_a_module():
    done = subprocess.run(
        [sys.executable, "-m", "semguide", "--version"], capture_output=True, text=True, check=True, timeout=300
    )
    assert done.stdout == f"semguide {version('semguide')}\n"


def test_help_lists_the_commands(cli: Cli):
    listed = cli("--help").stdout
    assert all(name in listed for name in ("generate", "concepts", "models", "methods", "doctor"))


def test_generate_has_the_options_of_the_command_contract(cli: Cli):
    listed = cli("generate", "--help").stdout
    options = (
        "--model --method --compare --concept --negative --seed --num-images --steps --guidance-scale --height --width "
        "--device --out --from --set --backend --full-trace --overwrite"
    )
    assert [option for option in options.split() if option not in listed] == []
