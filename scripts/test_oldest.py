"""Run the compatibility tests under the oldest diffusers that pyproject.toml allows, which goes to .oldest.

`python scripts/test_oldest.py [TESTS]`; the rest of the environment is that of the Python that runs it.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
TESTS = [
    "tests/adapters/test_plain_cfg.py",
    "tests/adapters/test_eps_scale.py",
    "tests/adapters/pipelines/families",
    "tests/adapters/guiders",
    "tests/docs/test_guider.py",
    "tests/selection/test_partial_run.py",
]


def main() -> int:
    found = re.search(r'"diffusers>=([\d.]+)"', (ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    if found is None:
        print("pyproject.toml names no oldest diffusers", file=sys.stderr)
        return 2
    version = found.group(1)
    folder = ROOT / ".oldest" / f"diffusers-{version}"
    if not (folder / "diffusers" / "__init__.py").is_file():
        install = ["install", "--no-deps", "--quiet", "--target", str(folder), f"diffusers=={version}"]
        subprocess.run([sys.executable, "-m", "pip", *install], check=True)
    environment = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(folder), str(ROOT / "src"), str(ROOT / "emoji" / "src")]),
    }
    show = "import diffusers; print('diffusers', diffusers.__version__, 'from', diffusers.__file__)"
    subprocess.run([sys.executable, "-c", show], env=environment, check=True)
    command = [sys.executable, "-m", "pytest", "-m", "slow or not slow", "-q", *(sys.argv[1:] or TESTS)]
    return subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
