"""How often a back end finds the concepts that readers marked, by kind of prompt, with 95 % bootstrap intervals.

    python benchmarks/concepts.py [SET ...] [--shared FOLDER] [--dsg FILE] [--backend lexicon] [--failures]

Sets, all where none is named: `held_out` and `development` (T2I-CompBench and GenEval, tests/concepts/data), `people`
(prompts that people wrote, FOLDER/cases), `marked-development` and `marked-test` (150 public prompts, benchmarks/data)
and `dsg` (the entities of DSG-1k, with --dsg dsg-1k-anns.csv). FOLDER is SEMGUIDE_SHARED, or ../shared.

exact: the phrases found are the marked ones. accepted: every marked phrase is found and every other one found is among
those on which readers may differ; a marked phrase that is among these too may be missed. precision and recall count
phrases, those on which readers may differ left out.
"""

from __future__ import annotations

import argparse
import csv
import json
import os
import random
import re
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from semguide.concepts import decompose

ROOT = Path(__file__).resolve().parents[1]
LABELS = ROOT / "tests" / "concepts" / "data" / "hand_labelled.json"
MARKED = ROOT / "benchmarks" / "data" / "marked_prompts.jsonl"
SETS = ("held_out", "development", "people", "marked-development", "marked-test", "dsg")
RESAMPLES = 2000


@dataclass(frozen=True)
class Case:
    """A marked prompt: `gold` the phrases in order, `either` those on which readers may differ."""

    prompt: str
    gold: tuple[str, ...]
    either: frozenset[str]
    kind: str


@dataclass(frozen=True)
class Verdict:
    """What the back end found for one case, and in which time."""

    case: Case
    found: tuple[str, ...]
    seconds: float

    @property
    def exact(self) -> bool:
        """Whether the phrases found are the marked ones, in order."""
        return self.found == self.case.gold

    @property
    def accepted(self) -> bool:
        """Whether nothing is missed or added but phrases on which readers may differ."""
        return not self.missed and not self.added

    @property
    def hit(self) -> list[str]:
        """The marked phrases that were found."""
        return [phrase for phrase in self.case.gold if phrase in self.found]

    @property
    def missed(self) -> list[str]:
        """The marked phrases that were not."""
        return [phrase for phrase in self.case.gold if phrase not in self.found and phrase not in self.case.either]

    @property
    def added(self) -> list[str]:
        """The phrases found that no reader would mark."""
        return [phrase for phrase in self.found if phrase not in self.case.gold and phrase not in self.case.either]


def shared_folder() -> Path:
    """The folder of the official prompt files: SEMGUIDE_SHARED, or `shared` beside the repository."""
    return Path(os.environ.get("SEMGUIDE_SHARED") or ROOT.parent / "shared")


def read_cases(name: str, shared: Path) -> list[Case]:
    """The marked prompts of a set.

    Raises:
        FileNotFoundError: its file is not there.
    """
    if name == "people":
        return _read_lines(shared / "cases" / "prompts-labelled.jsonl", "set", "")
    if name.startswith("marked-"):
        return _read_lines(MARKED, "kind", name.removeprefix("marked-"))
    labels = json.loads(LABELS.read_text(encoding="utf-8"))[name]
    cases: list[Case] = []
    for label in labels:
        line = (shared / "prompts" / label["file"]).read_text(encoding="utf-8").splitlines()[label["line"] - 1]
        prompt = json.loads(line)["prompt"] if label["file"].endswith(".jsonl") else line
        gold = tuple(prompt[start:end] for start, end in label["concepts"])
        either = frozenset(prompt[start:end] for start, end in label.get("either", []))
        cases.append(Case(prompt, gold, either, label["file"].split("/")[0]))
    return cases


def _read_lines(path: Path, kind: str, split: str) -> list[Case]:
    rows = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    kept = [row for row in rows if not split or row["split"] == split]
    return [Case(row["prompt"], tuple(row["gold"]), frozenset(row["either"]), row[kind]) for row in kept]


def judge(cases: Sequence[Case], backend: str = "lexicon") -> list[Verdict]:
    """Decomposes every case, after one prompt that loads what the back end reads by."""
    decompose("a red car", backend)
    verdicts: list[Verdict] = []
    for case in cases:
        start = time.perf_counter()
        found = decompose(case.prompt, backend)
        seconds = time.perf_counter() - start
        verdicts.append(Verdict(case, tuple(concept.text for concept in found), seconds))
    return verdicts


def precision(verdicts: Sequence[Verdict]) -> float:
    """The share of the phrases found that are marked; 1 for none."""
    hit, added = sum(len(v.hit) for v in verdicts), sum(len(v.added) for v in verdicts)
    return hit / (hit + added) if hit + added else 1.0


def recall(verdicts: Sequence[Verdict]) -> float:
    """The share of the marked phrases that are found; 1 for none."""
    hit, missed = sum(len(v.hit) for v in verdicts), sum(len(v.missed) for v in verdicts)
    return hit / (hit + missed) if hit + missed else 1.0


def interval(verdicts: Sequence[Verdict], measure: Callable[[Sequence[Verdict]], float]) -> tuple[float, float]:
    """The 95 % bootstrap interval of a measure over prompts, by percentiles, with a fixed seed."""
    drawn = random.Random(20231215)
    values = sorted(measure(drawn.choices(verdicts, k=len(verdicts))) for _ in range(RESAMPLES))
    return values[int(0.025 * RESAMPLES)], values[int(0.975 * RESAMPLES) - 1]


def report(name: str, verdicts: Sequence[Verdict]) -> None:
    """Prints one line a kind of prompt, and one for all."""
    kinds = sorted({verdict.case.kind for verdict in verdicts})
    for kind in [*kinds, "all"] if len(kinds) > 1 else ["all"]:
        chosen = [verdict for verdict in verdicts if kind in {verdict.case.kind, "all"}]
        exact, accepted = sum(v.exact for v in chosen), sum(v.accepted for v in chosen)
        shares = (
            ("accepted", interval(chosen, lambda vs: sum(v.accepted for v in vs) / len(vs)), accepted / len(chosen)),
            ("precision", interval(chosen, precision), precision(chosen)),
            ("recall", interval(chosen, recall), recall(chosen)),
        )
        figures = "  ".join(f"{title} {value:.2f} [{low:.2f}, {high:.2f}]" for title, (low, high), value in shares)
        print(f"{name:19} {kind:15} {len(chosen):4} prompts  exact {exact:3}  accepted {accepted:3}  {figures}")
    milliseconds = 1000 * statistics.median(verdict.seconds for verdict in verdicts)
    print(f"{name:19} median {milliseconds:.2f} ms a prompt")


def report_dsg(path: Path, backend: str) -> None:
    """Prints how the concepts of DSG-1k's prompts agree with its entities, by head nouns in the singular.

    recall: the entities whose noun stands in a concept. precision: the concepts whose noun stands in an entity.
    """
    prompts: dict[str, str] = {}
    entities: dict[str, list[str]] = {}
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file):
            prompts[row["item_id"]] = row["text"]
            match = re.search(r"\((.*)\)\s*$", row["tuple"])
            if row["category_broad"] == "entity" and match:
                entities.setdefault(row["item_id"], []).append(match.group(1))
    kinds = sorted({item.rsplit("_", 1)[0] for item in entities})
    for kind in [*kinds, "all"]:
        hits = [0, 0, 0, 0]
        for item, named in entities.items():
            if kind in {"all", item.rsplit("_", 1)[0]}:
                found = decompose(prompts[item], backend)
                spoken = {_singular(word) for concept in found for word in concept.text.lower().split()}
                meant = {_singular(word) for entity in named for word in entity.lower().split()}
                hits[0] += sum(_singular(entity.lower().split()[-1]) in spoken for entity in named)
                hits[1] += len(named)
                hits[2] += sum(_singular(concept.head) in meant for concept in found)
                hits[3] += len(found)
        print(
            f"dsg {kind:22} recall {hits[0] / hits[1]:.2f} of {hits[1]}  precision {hits[2] / hits[3]:.2f} of {hits[3]}"
        )


def _singular(word: str) -> str:
    plain = re.sub(r"[^\w]", "", word.removesuffix("'s"))
    return plain.removesuffix("es") if plain.endswith(("ches", "shes", "sses", "xes")) else plain.removesuffix("s")


def print_failure(verdict: Verdict) -> None:
    """Prints the phrases marked but not found (-) and found but not marked (+), of one prompt."""
    marks = [*(f"-{phrase!r}" for phrase in verdict.missed), *(f"+{phrase!r}" for phrase in verdict.added)]
    print(f"{verdict.case.kind}: {verdict.case.prompt}\n   ", *marks)


def main() -> int:
    """Prints the figures of each set; exit code 1 where the file of a set that was asked for is missing."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("sets", nargs="*", metavar="SET", help=", ".join(SETS))
    parser.add_argument("--shared", type=Path, default=shared_folder())
    parser.add_argument("--dsg", type=Path, help="dsg-1k-anns.csv of DSG-1k")
    parser.add_argument("--backend", default="lexicon")
    parser.add_argument("--failures", action="store_true", help="print the prompts that are not accepted")
    options = parser.parse_args()
    if unknown := set(options.sets) - set(SETS):
        parser.error(f"SET must be one of {', '.join(SETS)}, got {', '.join(sorted(unknown))}")
    for name in options.sets or SETS[:-1]:
        if name == "dsg":
            continue
        try:
            verdicts = judge(read_cases(name, options.shared), options.backend)
        except FileNotFoundError as error:
            print(f"{name}: {error.filename} is not there; set --shared or SEMGUIDE_SHARED", file=sys.stderr)
            if options.sets:
                return 1
            continue
        report(name, verdicts)
        for verdict in verdicts if options.failures else []:
            if not verdict.accepted:
                print_failure(verdict)
    if options.dsg:
        report_dsg(options.dsg, options.backend)
    return 0


if __name__ == "__main__":
    sys.exit(main())
