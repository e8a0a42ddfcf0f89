"""The docs' table of what users measured on real models, filled from compare.json files that were sent in.

    python scripts/user_results.py FOLDER [--page docs/score.md]

reads every .json file of the folder, checks that it is one of `semguide compare`, and writes the table between the two
marks of the page; without files the table says that there is none yet.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

BEGIN, END = "<!-- users: begin (scripts/user_results.py) -->", "<!-- users: end -->"
NONE = "*None yet. `semguide compare --model YOURS` writes `compare.json`; open an issue or a pull request with it.*"
SCORES = {
    "clip_similarity": "CLIP, whole prompt",
    "clip_weakest": "CLIP, weakest concept",
    "vqa_score": "VQAScore",
    "caption_similarity": "caption",
}


def read_comparison(file: Path) -> dict[str, Any]:
    """Read a compare.json.

    Raises:
        SystemExit: It is none.
    """
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SystemExit(f"{file} cannot be read ({error}); leave it out") from error
    if not isinstance(value, dict) or (value.get("format"), value.get("version")) != ("semguide-compare", 1):
        raise SystemExit(f"{file} must be a compare.json of version 1; leave it out")
    return value


def table(comparisons: list[dict[str, Any]]) -> str:
    """Write the table as Markdown, one row a method."""
    if not comparisons:
        return NONE
    head = ["model", "device", "prompts, seeds", "method", "steps", "evaluations", *SCORES.values()]
    rows = [row for found in comparisons for row in _rows(found)]
    return "\n".join(["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)])


def _rows(found: dict[str, Any]) -> list[list[str]]:
    model, suite = found["model"], found["suite"]
    about = [f"{model['name']} ({model['fingerprint'].removeprefix('sha256:')[:8]}), {model['dtype']}", found["device"]]
    about.append(f"{suite['prompts']} of {suite['name']}, {suite['seeds']}")
    return [
        [
            *(cell.replace("|", "/") for cell in (about if number == 0 else [""] * len(about))),
            f"`{name}`",
            str(method["steps"]),
            f"{method['evaluations_per_image']:.0f}",
            *(_estimate(method["metrics"].get(score)) for score in SCORES),
        ]
        for number, (name, method) in enumerate(found["methods"].items())
    ]


def _estimate(found: dict[str, Any] | None) -> str:
    if not found or found.get("mean") is None:
        return ""
    low, high = found["ci95"]
    return f"{found['mean']:.3f} [{low:.3f}, {high:.3f}]"


def main(arguments: list[str]) -> None:
    """Fill the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--page", type=Path, default=Path(__file__).parents[1] / "docs" / "score.md")
    options = parser.parse_args(arguments)
    comparisons = [read_comparison(file) for file in sorted(options.folder.glob("*.json"))]
    text = options.page.read_text(encoding="utf-8")
    if BEGIN not in text or END not in text:
        raise SystemExit(f"{options.page} must have the marks {BEGIN} and {END}")
    before, rest = text.split(BEGIN, 1)
    after = rest.split(END, 1)[1]
    options.page.write_text(f"{before}{BEGIN}\n{table(comparisons)}\n{END}{after}", encoding="utf-8")
    print(f"{len(comparisons)} comparisons in {options.page}")


if __name__ == "__main__":
    main(sys.argv[1:])
