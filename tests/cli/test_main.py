import subprocess
import sys
from collections.abc import Callable
from importlib.metadata import version

from typer.testing import Result

Cli = Callable[..., Result]
HEAVY = ("torch", "diffusers", "transformers", "matplotlib")
LIGHT = [
    ["--help"],
    ["--version"],
    ["generate", "--help"],
    ["concepts", "a red book and a yellow vase"],
    ["concepts", "a red book", "--json"],
    ["models", "--json"],
]
REFUSED = [
    ["generate", ""],
    ["generate", "a cat", "--model", "emoji-umet"],
    ["generate", "a cat", "--steps", "0"],
    ["generate", "a cat", "--out", sys.executable],
]
PROBE = """
import sys
from semguide.cli.main import app
for arguments in {commands!r}:
    try:
        app(arguments)
        code = 0
    except SystemExit as end:
        code = end.code or 0
    print("ENDED", arguments, [name for name in {heavy!r} if name in sys.modules], code)
"""


def ended(commands: list[list[str]]) -> tuple[list[str], str]:
    """Call commands one after another in a new interpreter: what each had loaded with its exit code, and stderr."""
    code = PROBE.format(commands=commands, heavy=HEAVY)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=300)
    return [line for line in done.stdout.splitlines() if line.startswith("ENDED")], done.stderr


def test_light_commands_load_no_heavy_package():
    assert ended(LIGHT) == ([f"ENDED {arguments} [] 0" for arguments in LIGHT], "")


def test_refusals_that_need_no_heavy_package_load_none():
    found, stderr = ended(REFUSED)
    assert found == [f"ENDED {arguments} [] 2" for arguments in REFUSED]
    assert [line.startswith("error: ") for line in stderr.splitlines()] == [True] * len(REFUSED)


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
