"""Make the environment in .venv: `python3 scripts/bootstrap.py` (or `make setup`); standard library only.

Chooses the CPU or the accelerator build of torch, installs semguide and semguide-emoji with pinned dependencies and
ends with a self-check that fails loudly. Does nothing where nothing changed; an interrupted run is made anew.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
SUPPORTED = ((3, 10), (3, 13))
CPU_INDEX = "https://download.pytorch.org/whl/cpu"
BUILD_TOOLS = ["hatchling", "editables"]
EMOJI_EXTRAS = {"train"}
NETWORK_SIGNS = (
    "ConnectionError", "ConnectionResetError", "NewConnectionError", "ProtocolError", "IncompleteRead", "ReadTimeout",
    "Read timed out", "Temporary failure in name resolution", "Max retries exceeded", "Connection broken",
)  # fmt: skip


class SetupError(Exception):
    """The environment cannot be made; the message says why and what to do."""


# ---- what is there -------------------------------------------------------------------------------------------------


def check_python(version: tuple[int, int], has_ensurepip: bool) -> None:
    """Refuse an interpreter that is out of range or cannot make environments."""
    low, high = SUPPORTED
    if not low <= version <= high:
        minors = range(high[1], low[1] - 1, -1)
        found = next((name for name in (f"python3.{minor}" for minor in minors) if shutil.which(name)), None)
        remedy = f"run: make setup PYTHON={found}" if found else "install one and run: make setup PYTHON=python3.12"
        raise SetupError(f"Python must be 3.{low[1]} to 3.{high[1]}, got {version[0]}.{version[1]}; {remedy}")
    if not has_ensurepip:
        raise SetupError(
            f"this Python cannot make environments (no ensurepip); on Debian or Ubuntu run: "
            f"apt-get install python{version[0]}.{version[1]}-venv"
        )


def venv_python(venv: Path) -> Path:
    """The interpreter of an environment."""
    return venv / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def fingerprint(root: Path, python: str) -> str:
    """Hash of everything the environment follows from, but for the extras."""
    digest = hashlib.sha256(python.encode())
    for name in ("pyproject.toml", "emoji/pyproject.toml", "constraints.txt", "scripts/bootstrap.py"):
        digest.update((root / name).read_bytes())
    digest.update(str(root).encode())  # scripts of an environment hold its path: a moved checkout is made anew
    return digest.hexdigest()


def read_stamp(venv: Path) -> dict:
    """What the last complete run left behind; empty where there was none."""
    try:
        stamp = json.loads((venv / "bootstrap.json").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return stamp if isinstance(stamp, dict) else {}


def venv_state(venv: Path, root: Path, python: str, extras: set[str]) -> str:
    """Say what to do with the environment: "ready", "update", "broken" (make anew), "missing" or "foreign"."""
    if not venv.exists():
        return "missing"
    stamp, partial = read_stamp(venv), (venv / "bootstrap.partial").exists()
    if partial or (stamp and (stamp.get("python") != python or stamp.get("root") != str(root))):
        return "broken"
    if not (venv / "pyvenv.cfg").exists() or not venv_python(venv).exists():
        return "broken" if stamp or not any(venv.iterdir()) else "foreign"
    if stamp.get("hash") == fingerprint(root, python) and extras <= set(stamp.get("extras", [])):
        return "ready"
    return "update"


def has_accelerator() -> bool:
    """Whether an NVIDIA driver is present and answers."""
    tool = shutil.which("nvidia-smi")
    if tool is None:
        return False
    try:
        listing = subprocess.run([tool, "-L"], capture_output=True, text=True, timeout=30, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return listing.returncode == 0 and "GPU " in listing.stdout


def reachable(url: str, seconds: float = 4.0) -> bool:
    """Whether the address answers within a few seconds."""
    request = urllib.request.Request(url, method="HEAD")
    try:
        with urllib.request.urlopen(request, timeout=seconds) as answer:
            return answer.status < 400
    except (OSError, urllib.error.URLError, ValueError):
        return False


def choose_torch(platform: str, accelerator: bool, is_reachable=reachable) -> tuple[str, list[str]]:
    """Choose the build of torch.

    Returns:
        What is said about it, and pip's arguments for where torch alone comes from (none: the configured index).
    """
    if accelerator:
        return "accelerator build of torch (nvidia-smi answers)", []
    if platform != "linux":  # elsewhere the index's build is the CPU build
        return "CPU build of torch", []
    if is_reachable(f"{CPU_INDEX}/torch/"):
        return f"CPU build of torch from {CPU_INDEX}", ["--index-url", CPU_INDEX]
    return "pinned torch from the configured package index (the index of CPU builds does not answer)", []


# ---- what is done --------------------------------------------------------------------------------------------------


def say(message: str, quiet: bool = False) -> None:
    """Print one line of progress."""
    if not quiet:
        print(f"setup: {message}", flush=True)


def tail(log: Path, lines: int = 25) -> str:
    """The end of the log."""
    text = log.read_text(encoding="utf-8", errors="replace") if log.exists() else ""
    return "\n".join(text.splitlines()[-lines:])


def pip(arguments: list[str], venv: Path, execute=subprocess.run) -> None:
    """Run pip in the environment, its output to the log; once more after a network failure."""
    log = venv / "bootstrap.log"
    command = [str(venv_python(venv)), "-m", "pip", "--disable-pip-version-check", "--no-input", *arguments]
    for attempt in (1, 2):
        start = log.stat().st_size if log.exists() else 0
        with log.open("a", encoding="utf-8") as sink:
            sink.write(f"$ {' '.join(command)}\n")
            sink.flush()
            if execute(command, stdout=sink, stderr=subprocess.STDOUT, cwd=ROOT, check=False).returncode == 0:
                return
        said = log.read_bytes()[start:].decode("utf-8", errors="replace")
        if attempt == 2 or not any(sign in said for sign in NETWORK_SIGNS):
            break
        say("the network failed; trying once more")
    raise SetupError(f"pip {arguments[0]} failed; the end of {log}:\n{tail(log)}")


def accelerator_constraints(root: Path, venv: Path) -> Path:
    """The constraints without torch's pin, which is for machines without an accelerator."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    path = venv / "constraints-accelerator.txt"
    path.write_text("\n".join(line for line in lines if not line.startswith("torch==")) + "\n", encoding="utf-8")
    return path


def pinned(root: Path, name: str) -> list[str]:
    """The requirement as pinned in the constraints file, once for each marker; pip takes the one that fits."""
    lines = (root / "constraints.txt").read_text(encoding="utf-8").splitlines()
    return [line for line in lines if line.startswith(f"{name}==")] or [name]


def with_extras(project: Path, extras: set[str]) -> str:
    """The requirement of a project's folder with some of its extras."""
    return f"{project}[{','.join(sorted(extras))}]" if extras else str(project)


def install(root: Path, venv: Path, extras: set[str], quiet: bool) -> None:
    """Install torch, then semguide and semguide-emoji with their extras."""
    accelerator = has_accelerator()
    words, source = choose_torch(sys.platform, accelerator)
    constraints = accelerator_constraints(root, venv) if accelerator else root / "constraints.txt"
    quick = ["--no-compile", "-c", str(constraints)]  # compiling every module of every package would double the time
    say(f"installing ({words}); log in {venv / 'bootstrap.log'}", quiet)
    if source:  # torch alone: the index of CPU builds need not have the pinned versions of the rest
        try:
            pip(["install", "--no-compile", "--no-deps", *source, *pinned(root, "torch")], venv)
        except SetupError:
            say("the index of CPU builds has no such torch; taking the configured index", quiet)
    pip(["install", *quick, *BUILD_TOOLS], venv)
    projects = with_extras(root, extras - EMOJI_EXTRAS), with_extras(root / "emoji", extras & EMOJI_EXTRAS)
    editable = [argument for project in projects for argument in ("-e", project)]
    pip(["install", *quick, "--no-build-isolation", *editable], venv)


def self_check(venv: Path, quiet: bool) -> None:
    """Prove that the environment works; raise with the reason where it does not."""
    say("checking: imports, a matrix product, a small U-Net, pip check", quiet)
    script = [str(venv_python(venv)), str(ROOT / "scripts" / "self_check.py")]
    done = subprocess.run(script, capture_output=True, text=True, cwd=ROOT, check=False)
    if done.returncode != 0:
        reason = "\n".join((done.stdout + done.stderr).strip().splitlines()[-15:])
        raise SetupError(f"the self-check failed:\n{reason}")
    say(done.stdout.strip(), quiet)


def make_venv(venv: Path, state: str, quiet: bool) -> None:
    """Make the environment where it is missing or half-made."""
    if state == "broken":
        say(f"{venv} is half-made or of another Python or place: making it anew", quiet)
        shutil.rmtree(venv)
    if state in ("missing", "broken"):
        say(f"making {venv} with Python {sys.version.split()[0]}", quiet)
        venv.mkdir()
        (venv / "bootstrap.partial").touch()
        done = subprocess.run([sys.executable, "-m", "venv", str(venv)], capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise SetupError(f"python -m venv failed:\n{(done.stdout + done.stderr).strip()[-1500:]}")


def bring_up(extras: set[str], quiet: bool) -> None:
    """Make, fill and check the environment, unless it is ready."""
    python = "{}.{}".format(*sys.version_info[:2])
    wanted = extras | {"dev"} | set(read_stamp(VENV).get("extras", []))
    state = venv_state(VENV, ROOT, python, wanted)
    if state == "ready":
        return say(f"{VENV} is up to date", quiet)
    if state == "foreign":
        raise SetupError(f"{VENV} exists and is not an environment of ours; move it away and run again")
    started = time.monotonic()
    make_venv(VENV, state, quiet)
    partial = VENV / "bootstrap.partial"
    partial.touch()
    install(ROOT, VENV, wanted, quiet)
    self_check(VENV, quiet)
    stamp = {"hash": fingerprint(ROOT, python), "python": python, "root": str(ROOT), "extras": sorted(wanted)}
    (VENV / "bootstrap.json").write_text(json.dumps(stamp), encoding="utf-8")
    partial.unlink()
    return say(f"done in {time.monotonic() - started:.0f} s", quiet)


def main(arguments: list[str] | None = None) -> int:
    """Parse the command line; return the exit status."""
    parser = argparse.ArgumentParser(description="Make semguide's environment in .venv.")
    parser.add_argument("--extras", default="", help="more extras, with commas: web,llm (dev is always installed)")
    parser.add_argument("--quiet", action="store_true", help="print failures only")
    parser.add_argument("--check-only", action="store_true", help="only run the self-check on the environment")
    options = parser.parse_args(arguments)
    try:
        check_python(sys.version_info[:2], importlib.util.find_spec("ensurepip") is not None)
        if options.check_only:
            if not venv_python(VENV).exists():
                raise SetupError(f"there is no environment at {VENV}; run: make setup")
            self_check(VENV, options.quiet)
        else:
            bring_up({name.strip() for name in options.extras.split(",") if name.strip()}, options.quiet)
    except SetupError as error:
        print(f"setup failed: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
