"""Write constraints.txt anew with uv: `make constraints`, with `UPGRADE=1` for `--upgrade`.

Resolves `.[dev]` and the build tools for Python 3.10 to 3.13 at once. Versions that still fit are kept; `--upgrade`
takes the newest of all, `--upgrade-package NAME` of one. Run the tests after it.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from bootstrap import BUILD_TOOLS

ROOT = Path(__file__).resolve().parents[1]
HEADER = """\
# What `make setup` installs, to the version: `.[dev]` resolved for Python 3.10 to 3.13. To renew: make constraints
# Not pinned: the nvidia-*, cuda-* and triton packages, which accelerator builds of torch pin themselves. torch's own
# pin is for machines without an accelerator; scripts/bootstrap.py leaves it out on the others.
"""
_ACCELERATOR = re.compile(r"(nvidia-|cuda-|triton==)")


def uv() -> list[str]:
    """Return the command that runs uv."""
    if importlib.util.find_spec("uv") is not None:
        return [sys.executable, "-m", "uv"]
    found = shutil.which("uv")
    if found is None:
        raise SystemExit("uv must be installed to resolve the constraints; run: make constraints")
    return [found]


def renewed(resolved: str) -> str:
    """Return the text of constraints.txt for the pins that uv resolved."""
    pins = [line for line in resolved.splitlines() if "==" in line and not _ACCELERATOR.match(line)]
    return HEADER + "\n".join(pins) + "\n"


def resolve(present: str, arguments: list[str]) -> str:
    """Return the pins that uv resolves, of the present ones those that still fit."""
    with tempfile.TemporaryDirectory() as folder:
        out = Path(folder) / "constraints.txt"
        out.write_text(present, encoding="utf-8")  # uv prefers the versions that its output already has
        options = ["--quiet", "--universal", "--python-version", "3.10", "--no-header", "--no-annotate"]
        command = [
            *uv(),
            "pip",
            "compile",
            *options,
            *arguments,
            "--extra",
            "dev",
            "-o",
            str(out),
            "pyproject.toml",
            "-",
        ]
        if subprocess.run(command, cwd=ROOT, input="\n".join(BUILD_TOOLS), text=True, check=False).returncode != 0:
            raise SystemExit("uv could not resolve the dependencies; constraints.txt is as it was")
        return out.read_text(encoding="utf-8")


def main() -> None:
    if sys.argv[1:] in (["-h"], ["--help"]):
        return print(__doc__)
    path = ROOT / "constraints.txt"
    present = path.read_text(encoding="utf-8")
    text = renewed(resolve(present, sys.argv[1:]))
    path.write_text(text, encoding="utf-8")
    return print(f"{path.name}: {'as it was' if text == present else 'renewed; run the tests'}")


if __name__ == "__main__":
    main()
