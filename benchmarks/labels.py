"""How far the judge can be trusted on generated pictures: its findings against labels set by eye.

    python benchmarks/labels.py --out out/labels [--sheet]

makes 276 pictures with emoji-unet (all test prompts of emoji-ae and emoji-single, each with a seed of its own, plain
guidance of scale 7, 25 steps), has them judged, and compares the findings with `benchmarks/data/labels.json`: what one
viewer saw, a vision-language model that knew neither prompts nor findings. The first 200 were labelled before the
present judge was trained, and showed what the one before it missed; the other 76 after, when nothing of it changed any
more. It writes

    pictures-*.npy   the pictures, by 50; made again only where they are missing
    labels.json      counts and shares, with intervals over pictures
    sheet-*.png      with --sheet, and nothing else: the pictures by number, without prompts, to label them

An object's colour is what the viewer would call it; "natural" where the drawing has its own colours and no one name
fits. An object that the viewer could not name has the noun null and is counted apart.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Sequence
from dataclasses import asdict, astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from semguide.errors import InvalidArgument
from semguide.evaluation.judging import Detection
from semguide.evaluation.statistics import Estimate
from semguide.evaluation.suites import SuitePrompt, limited, suite
from semguide.files import atomic, write_json
from semguide.models import fingerprint, load
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import find
from semguide_emoji.judge import Judge
from semguide_emoji.scenes.vocabulary import NATURAL_COLOURS

LABELS = Path(__file__).resolve().parent / "data" / "labels.json"
MODEL, STEPS, SCALE = "emoji-unet", 25, 7.0
SUITES = {"emoji-ae": 120, "emoji-single": 80}
FIRST = sum(SUITES.values())
BATCH = 50
COLUMNS, ENLARGED, MARGIN = 5, 256, 40

ImageBatch = NDArray[np.uint8]  # (pictures, height, width, 3)
Thing = tuple[str | None, str]  # noun, or None where it has no name, and colour


@dataclass(frozen=True)
class Tally:
    """What became of the labelled objects and of the findings of one picture, or of many.

    Attributes:
        right: Objects found with noun and colour.
        colour: Objects found in another colour.
        noun: Objects not found, for each of which there is a finding of another noun.
        missed: Objects not found otherwise.
        false: Findings whose noun no object has, those of `noun` included.
        unnamed: Objects without a name, which are in no other count; as many findings count neither.
    """

    right: int = 0
    colour: int = 0
    noun: int = 0
    missed: int = 0
    false: int = 0
    unnamed: int = 0

    @property
    def objects(self) -> int:
        """Labelled objects that have a name."""
        return self.right + self.colour + self.noun + self.missed

    @property
    def findings(self) -> int:
        """Findings that count."""
        return self.right + self.colour + self.false


def chosen() -> list[tuple[str, SuitePrompt]]:
    """Return what is made, suite and prompt, in the mixed order of the labels; the seed is the place in it."""
    first = [(name, prompt) for name, count in SUITES.items() for prompt in limited(suite(name, "test"), count)]
    every = [(name, prompt) for name in SUITES for prompt in suite(name, "test")]
    second = [pair for pair in every if pair not in first]
    return [
        pairs[index]
        for number, pairs in enumerate((first, second))
        for index in np.random.default_rng(number).permutation(len(pairs))
    ]


def pictures(folder: Path) -> ImageBatch:
    """Return the pictures: from their files, or made and written to them."""
    prompts = [prompt.text for _, prompt in chosen()]
    paths = {first: folder / f"pictures-{first:03}.npy" for first in range(0, len(prompts), BATCH)}
    missing = {first: path for first, path in paths.items() if not path.exists()}
    if missing:
        pipe: Any = load(MODEL)
        pipe.set_progress_bar_config(disable=True)
        for first, path in missing.items():
            made = pipe(
                prompts[first : first + BATCH],
                num_inference_steps=STEPS,
                guidance_scale=SCALE,
                generator=[
                    torch.Generator().manual_seed(first + i) for i in range(len(prompts[first : first + BATCH]))
                ],
                output_type="np",
            ).images
            with atomic(path) as temporary, temporary.open("wb") as file:
                np.save(file, (made * 255).round().astype(np.uint8))
            print(f"wrote {path}", flush=True)
    return np.concatenate([np.load(path) for path in paths.values()])


def draw_sheets(made: ImageBatch, folder: Path) -> None:
    """Write the pictures, enlarged and numbered, without their prompts."""
    font = ImageFont.load_default(16)
    for first in range(0, len(made), COLUMNS**2):
        sheet = Image.new("RGB", (COLUMNS * (ENLARGED + MARGIN), COLUMNS * (ENLARGED + 8)), "white")
        for place, picture in enumerate(made[first : first + COLUMNS**2]):
            x, y = place % COLUMNS * (ENLARGED + MARGIN), place // COLUMNS * (ENLARGED + 8)
            sheet.paste(
                Image.fromarray(picture).resize((ENLARGED, ENLARGED), Image.Resampling.LANCZOS), (x + MARGIN, y)
            )
            ImageDraw.Draw(sheet).text((x + 6, y + 4), str(first + place), font=font, fill="black")
        with atomic(folder / f"sheet-{first:03}.png") as temporary:
            sheet.save(temporary, format="png")


def findings(made: ImageBatch) -> list[list[Detection]]:
    """Return what the embedded judge sees in each picture."""
    judge = Judge.load(ASSETS / "emoji-judge")
    return find(judge, torch.from_numpy(made).permute(0, 3, 1, 2).float() / 127.5 - 1)


def compare(labels: Iterable[Thing], found: Sequence[Detection]) -> Tally:
    """Match the objects of one picture with its findings: those of the same noun and colour, then of the same noun."""
    unnamed, objects = 0, list[tuple[str, str]]()
    for noun, colour in labels:
        if noun is None:
            unnamed += 1
        else:
            objects.append((noun, NATURAL_COLOURS.get(noun, colour) if colour == "natural" else colour))
    free = [(finding.noun, finding.colour) for finding in found]
    right = colour_only = 0
    for thing in list(objects):
        if thing in free:
            free.remove(thing)
            objects.remove(thing)
            right += 1
    for thing in list(objects):
        match = next((other for other in free if other[0] == thing[0]), None)
        if match is not None:
            free.remove(match)
            objects.remove(thing)
            colour_only += 1
    wrong = min(len(objects), len(free))
    excess = wrong + max(0, len(free) - wrong - unnamed)
    return Tally(right, colour_only, wrong, len(objects) - wrong, excess, unnamed)


def added(tallies: Iterable[Tally]) -> Tally:
    """Return the sum over pictures."""
    return Tally(*(sum(column) for column in zip(*map(astuple, tallies), strict=True)))


def share(parts: Sequence[int], wholes: Sequence[int], resamples: int = 10_000) -> Estimate:
    """Return a share of all objects with its 95 % interval, pictures drawn with replacement."""
    part, whole = np.asarray(parts), np.asarray(wholes)
    drawn = np.random.default_rng(0).integers(len(part), size=(resamples, len(part)))
    low, high = np.quantile(part[drawn].sum(axis=1) / whole[drawn].sum(axis=1), [0.025, 0.975])
    return Estimate(float(part.sum() / whole.sum()), float(low), float(high))


def summary(tallies: Sequence[Tally]) -> dict[str, Any]:
    """Return counts and shares."""
    total = added(tallies)
    return {
        "objects": total.objects,
        "findings": total.findings,
        **asdict(total),
        "share_right": asdict(share([t.right for t in tallies], [t.objects for t in tallies])),
        "share_false": asdict(share([t.false for t in tallies], [t.findings for t in tallies])),
    }


def read_labels() -> dict[str, Any]:
    """Return the stored labels.

    Raises:
        InvalidArgument: They are of another checkpoint's pictures.
    """
    stored = json.loads(LABELS.read_text(encoding="utf-8"))
    if (got := fingerprint(ASSETS / MODEL)) != stored["checkpoint"]:
        raise InvalidArgument("checkpoint", f"must be the labelled one, {stored['checkpoint']}", got, "label it anew")
    return stored


def main() -> None:
    """Make what is missing, then draw the sheets or compare."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--sheet", action="store_true")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    if options.sheet:
        draw_sheets(pictures(options.out), options.out)
        return
    images = read_labels()["images"]
    found = findings(pictures(options.out))
    tallies = [compare(map(tuple, image["labels"]), seen) for image, seen in zip(images, found, strict=True)]
    for image, seen, tally in zip(images, found, tallies, strict=True):
        if tally.right < tally.objects or tally.false:
            print(image["seed"], image["labels"], "judge:", [(f.noun, f.colour) for f in seen])
    parts = {"first": tallies[:FIRST], "second": tallies[FIRST:], "all": tallies}
    results = {part: summary(chosen) for part, chosen in parts.items()}
    write_json(options.out / "labels.json", results)
    for part, result in results.items():
        print(part, added(parts[part]))
        for name in ("share_right", "share_false"):
            print(name, Estimate(**result[name]))


if __name__ == "__main__":
    main()
