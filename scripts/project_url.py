"""Write the address of whoever publishes semguide into every file that names it.

python scripts/project_url.py https://github.com/NAME/semguide
"""

from __future__ import annotations

import argparse
import re
from pathlib import Path

ROOT = Path(__file__).parents[1]
PLACES = (
    "pyproject.toml",
    "emoji/pyproject.toml",
    "src/semguide/adapters/hosts/comfyui/pack/pyproject.toml",
    "notebooks/colab.ipynb",
)
"""The files that name it."""
_NAMED = re.compile(r'^Repository = "([^"]+)"$', re.MULTILINE)


def project_url(root: Path = ROOT) -> str:
    """Return the address that the files have; an address that ends in .invalid is that of nobody yet."""
    found = _NAMED.search((root / PLACES[0]).read_text(encoding="utf-8"))
    if found is None:
        raise SystemExit(f"{PLACES[0]} must have a Repository under [project.urls]")
    return found[1]


def write(url: str, root: Path = ROOT) -> list[str]:
    """Put an address in the place of the present one; returns the files that were changed."""
    present, changed = project_url(root), []
    for place in PLACES:
        path = root / place
        text = path.read_text(encoding="utf-8")
        if present != url and present in text:
            path.write_text(text.replace(present, url), encoding="utf-8")
            changed.append(place)
    return changed


def main() -> None:
    """Write the address that the command names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("url", help="Where the repository is, without a slash at the end.")
    url: str = parser.parse_args().url
    if not re.fullmatch(r"https://[^\s/]+(/[^\s/]+)+", url):
        parser.error(f"url must begin with https:// and name a repository without a slash at the end, got {url!r}")
    for place in write(url):
        print(f"{place} names {url}")


if __name__ == "__main__":
    main()
