"""How often the lexicon back end finds exactly the concepts a person marked, with the list of failures.

    python benchmarks/concepts.py [held_out|development] [--shared FOLDER] [--backend lexicon]

The labels (tests/concepts/data/hand_labelled.json) are spans into the official prompt files of T2I-CompBench and
GenEval, which are read from FOLDER/prompts (SEMGUIDE_SHARED, or ../shared beside the repository).
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from semguide.concepts import decompose

ROOT = Path(__file__).resolve().parents[1]
LABELS = ROOT / "tests" / "concepts" / "data" / "hand_labelled.json"
Span = tuple[int, int]


@dataclass(frozen=True)
class Case:
    """One labelled prompt: `concepts` the marked spans, `either` those on which readers may differ."""

    prompt: str
    concepts: tuple[Span, ...]
    either: frozenset[Span]


@dataclass(frozen=True)
class Verdict:
    """What the back end found for one case: `exact` the marked spans, `accepted` but for those in `either`."""

    case: Case
    found: tuple[Span, ...]
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether the spans found are the marked ones."""
        return self.found == self.case.concepts

    @property
    def accepted(self) -> bool:
        """Whether they are, leaving out the spans on which readers may differ."""
        wanted = [span for span in self.case.concepts if span not in self.case.either]
        return [span for span in self.found if span not in self.case.either] == wanted


def shared_folder() -> Path:
    """The folder of the official prompt files: SEMGUIDE_SHARED, or `shared` beside the repository."""
    return Path(os.environ.get("SEMGUIDE_SHARED") or ROOT.parent / "shared")


def read_cases(sample: str, shared: Path) -> list[Case]:
    """The labelled prompts of one sample, read from the official files."""
    labels = json.loads(LABELS.read_text(encoding="utf-8"))[sample]
    cases: list[Case] = []
    for label in labels:
        lines = (shared / "prompts" / label["file"]).read_text(encoding="utf-8").splitlines()
        line = lines[label["line"] - 1]
        prompt = json.loads(line)["prompt"] if label["file"].endswith(".jsonl") else line
        spans = tuple((start, end) for start, end in label["concepts"])
        cases.append(Case(prompt, spans, frozenset((start, end) for start, end in label.get("either", []))))
    return cases


def judge(cases: Sequence[Case], backend: str = "lexicon") -> list[Verdict]:
    """Decomposes every case; concepts that are not in the prompt count as failures."""
    decompose("a red car", backend)  # the first call loads the lexicon
    verdicts: list[Verdict] = []
    for case in cases:
        start = time.perf_counter()
        found = decompose(case.prompt, backend)
        seconds = time.perf_counter() - start
        verdicts.append(Verdict(case, tuple(concept.span or (-1, -1) for concept in found), seconds))
    return verdicts


def main() -> int:
    """Prints the shares, the time per prompt and the failures; exit code 1 where the prompt files are missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sample", nargs="?", default="held_out", choices=["held_out", "development"])
    parser.add_argument("--shared", type=Path, default=shared_folder())
    parser.add_argument("--backend", default="lexicon")
    options = parser.parse_args()
    if not (options.shared / "prompts").is_dir():
        print(f"--shared must be a folder with prompts/, got {options.shared}; set SEMGUIDE_SHARED", file=sys.stderr)
        return 1
    verdicts = judge(read_cases(options.sample, options.shared), options.backend)
    exact, accepted = sum(v.exact for v in verdicts), sum(v.accepted for v in verdicts)
    milliseconds = 1000 * statistics.median(v.seconds for v in verdicts)
    print(
        f"{options.sample}: {exact}/{len(verdicts)} exactly as marked, {accepted}/{len(verdicts)} but for the phrases"
    )
    print(f"on which readers may differ; median {milliseconds:.2f} ms a prompt")
    for verdict in verdicts:
        if not verdict.exact:
            print_failure(verdict)
    return 0


def print_failure(verdict: Verdict) -> None:
    """Prints the phrases marked but not found (-) and found but not marked (+), of one prompt."""
    prompt, wanted = verdict.case.prompt, verdict.case.concepts
    missed = [f"-{prompt[a:b]!r}" for a, b in wanted if (a, b) not in verdict.found]
    added = [f"+{prompt[a:b]!r}" for a, b in verdict.found if (a, b) not in wanted]
    print("accepted" if verdict.accepted else "WRONG   ", *missed, *added)


if __name__ == "__main__":
    sys.exit(main())
