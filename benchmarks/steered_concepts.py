"""Which of a prompt's concepts steering wants: a wearer and what it wears as one or as two, and only those that lag.

    OMP_NUM_THREADS=1 python benchmarks/steered_concepts.py --out out/steered [--only worn|lagging] [--minutes 9]

makes pictures of validation prompts, 25 steps, plain guidance at its best scale and the default rule at scale 7, and
has them judged. It stops after `--minutes` and goes on where it stopped when it is called again.

    worn      "a cat with a red crown and a dog wearing a blue bow", "a cat with a red crown and a green car", "a cat
              with a red crown": steered are wearer and accessory apart (`all`), the two as one (`whole`), or whole,
              wearer and accessory (`both`). Right: all things in their colours, every accessory on its wearer.
    lagging   `emoji-complex` (three and four things), and its prompts of three joined to six: steered are all, or from
              the second step on only the 2 or 3 whose cosine with the prompt's guidance was least at the first step

    pictures-*.npz                 the pictures, by group and what is steered; made again only where they are missing
    steered-concepts-MODEL.json    by group and what is steered: share right, harm (right under plain guidance and wrong
                                   here, the same seed), share of concepts right, evaluations an image; paired with
                                   plain guidance and with steering all, intervals over prompts; "two wholes" has the
                                   first two groups of `worn` together; of rendered scenes of `worn` the share that
                                   the judge finds right
"""

from __future__ import annotations

import argparse
import itertools
import json
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from semguide.evaluation.image_batches import generate_batches
from semguide.evaluation.judging import Detection
from semguide.evaluation.statistics import Estimate, bootstrap
from semguide.evaluation.suites import SuitePrompt, stable_hash, suite
from semguide.files import digest, write_arrays, write_json
from semguide.guidance import CFG, BalancedSGT, Correction, Predictions, Rule, Step
from semguide.guidance.parameters import parameter
from semguide.models import fingerprint, load
from semguide.types import Concept
from semguide_emoji import ASSETS
from semguide_emoji.evaluation.detections import findings, judged
from semguide_emoji.judge import Judge
from semguide_emoji.scenes import COLOURS, SMALL_WORLD, noun_phrase, render
from semguide_emoji.scenes.scene import wear
from semguide_emoji.scenes.vocabulary import ATTEND_AND_EXCITE_ANIMALS, ATTEND_AND_EXCITE_OBJECTS, WORN, asked_colour

STEPS = 25
PLAIN = {"emoji-unet": CFG(guidance_scale=12.0), "emoji-flow": CFG(guidance_scale=7.0)}
STEERED = BalancedSGT(guidance_scale=7.0)
REACH = 0.65
"""How far above a wearer's centre what it wears may lie, in sides of its box: a crown's centre is on the edge."""


@dataclass(frozen=True)
class Lagging(Rule[Tensor | None]):
    """The default rule for all concepts at the first step, then for the few whose cosine was least there."""

    few: int = parameter(2, "How many concepts are steered after the first step.", low=2)

    name: ClassVar[str] = "lagging"

    def needs_concepts(self, step: int, count: int, concepts: int) -> bool:
        """Say whether the step is in the default rule's window."""
        return STEERED.needs_concepts(step, count, concepts)

    def correct(self, predictions: Predictions, step: Step, state: Tensor | None) -> tuple[Correction, Tensor | None]:
        """Return the correction by the chosen concepts alone, and which they are."""
        similarity = predictions.similarity
        if state is None:
            few = min(self.few, len(similarity))
            return STEERED.correct(predictions, step, None)[0], similarity.topk(few, largest=False).indices
        chosen, _ = STEERED.correct(replace(predictions, concepts=predictions.concepts[state]), step, None)
        return replace(chosen, similarity=similarity, gate=0 * similarity, weight=0 * similarity), state

    def evaluations_per_image(
        self, steps: int, concepts: int, *, full_trace: bool = False, embedded: bool = False
    ) -> int:
        """Return what it would cost not to evaluate the others after the first step."""
        del full_trace, embedded
        steered = sum(self.needs_concepts(step, steps, concepts) for step in range(steps))
        return 2 * steps + concepts + (steered - 1) * min(self.few, concepts)


@dataclass(frozen=True)
class Arm:
    """One way to steer.

    Attributes:
        rule: The rule.
        chosen: The concepts that it steers, of what the prompt asks for.
    """

    rule: Rule[Any]
    chosen: Callable[[SuitePrompt], Sequence[Concept]]


def worn_prompt(category: str, wearers: Sequence[tuple[str, str, str]], other: tuple[str, str] | None) -> SuitePrompt:
    """Return a prompt; its concepts are every wearer and what it wears, and then the other thing.

    Args:
        category: Its group.
        wearers: Animal, accessory and its colour.
        other: Noun and colour of a thing beside them.
    """
    concepts: list[Concept] = []
    phrases: list[str] = []
    for animal, noun, colour in wearers:
        wearer, accessory = noun_phrase(animal, None), noun_phrase(noun, colour)
        verb = "with" if stable_hash(f"verb {animal} {noun} {colour}") % 2 else "wearing"
        concepts += [Concept(wearer, None, animal), Concept(accessory, None, noun, (colour,), 1, part_of=wearer)]
        phrases.append(f"{wearer} {verb} {accessory}")
    if other is not None:
        phrases.append(noun_phrase(*other))
        concepts.append(Concept(phrases[-1], None, other[0], (other[1],), 1))
    return SuitePrompt(" and ".join(phrases), category, tuple(concepts))


def _picked(key: str, of: Iterable[str], count: int) -> list[str]:
    return sorted(of, key=lambda name: stable_hash(f"{key} {name}"))[:count]


def worn_prompts() -> list[SuitePrompt]:
    """Return the validation prompts in which animals wear something."""
    things = [noun for noun in ATTEND_AND_EXCITE_OBJECTS if noun not in WORN]
    two = [
        worn_prompt(
            "two wearers", list(zip((a, b), _picked(a + b, WORN, 2), _picked(a + b, COLOURS, 2), strict=True)), None
        )
        for a, b in itertools.permutations(ATTEND_AND_EXCITE_ANIMALS, 2)
    ]
    one = [
        worn_prompt("a wearer and a thing", [(animal, _picked(animal + thing, WORN, 1)[0], worn)], (thing, other))
        for animal, thing in itertools.product(ATTEND_AND_EXCITE_ANIMALS, things)
        for worn, other in [_picked(animal + thing, COLOURS, 2)]
    ]
    alone = [
        worn_prompt("a wearer alone", [(animal, noun, colour)], None)
        for animal, noun in itertools.product(ATTEND_AND_EXCITE_ANIMALS, WORN)
        for colour in _picked(animal + noun, COLOURS, 2)
    ]
    return [prompt for prompt in (*two, *one, *alone) if prompt.split == "validation"]


def wholes(prompt: SuitePrompt) -> list[Concept]:
    """Return the concepts with each accessory merged into its wearer."""
    phrases = prompt.text.split(" and ")
    return [Concept(phrase) for phrase in phrases]


def long_prompts() -> list[SuitePrompt]:
    """Return prompts of six things, as many as the text encoder reads: two of three without a noun in common."""
    rest = [prompt for prompt in suite("emoji-complex", "validation") if prompt.category == "three"]
    pairs: list[SuitePrompt] = []
    while rest:
        first, *rest = rest
        nouns = {concept.head for concept in first.concepts}
        second = next((p for p in rest if nouns.isdisjoint(c.head for c in p.concepts)), None)
        if second is not None:
            rest.remove(second)
            concepts = tuple(replace(concept, span=None) for concept in (*first.concepts, *second.concepts))
            pairs.append(SuitePrompt(f"{first.text}, {second.text}", "six things", concepts))
    return pairs


def groups(model: str) -> dict[str, dict[str, tuple[list[SuitePrompt], dict[str, Arm]]]]:
    """Return the experiments: groups of prompts and what is steered in each."""
    every = Arm(STEERED, lambda prompt: prompt.concepts)
    plain = Arm(PLAIN[model], lambda prompt: prompt.concepts)
    whole = Arm(STEERED, wholes)
    both = Arm(
        STEERED,
        lambda prompt: [*wholes(prompt)[: sum(c.part_of is not None for c in prompt.concepts)], *prompt.concepts],
    )
    few = {f"lagging {few}": Arm(Lagging(guidance_scale=7.0, few=few), every.chosen) for few in (2, 3)}
    worn: dict[str, tuple[list[SuitePrompt], dict[str, Arm]]] = {}
    for prompt in worn_prompts():
        worn.setdefault(prompt.category, ([], {"plain": plain, "all": every, "whole": whole, "both": both}))[0].append(
            prompt
        )
    del worn["a wearer alone"][1]["whole"]  # one concept, which is plain guidance
    complex_ = {
        kind: [p for p in suite("emoji-complex", "validation") if p.category == kind] for kind in ("three", "four")
    }
    lagging = {
        "three things": (complex_["three"], {"plain": plain, "all": every, "lagging 2": few["lagging 2"]}),
        "four things": (complex_["four"], {"plain": plain, "all": every, **few}),
        "six things": (long_prompts(), {"plain": plain, "all": every, **few}),
    }
    return {"worn": worn, "lagging": lagging}


class Bed:
    """What makes and judges pictures.

    Args:
        folder: Where they are kept.
        model: The checkpoint's name.
        seeds: Pictures a prompt.
        minutes: How long to make any.
    """

    def __init__(self, folder: Path, model: str, seeds: int, minutes: float) -> None:
        self.pipe: Any = load(model)
        self.pipe.set_progress_bar_config(disable=True)
        self.judge = Judge.load(ASSETS / "emoji-judge")
        self.folder = folder
        self.seeds = seeds
        self.model = fingerprint(ASSETS / model)
        self.end = time.monotonic() + 60 * minutes

    def pictures(self, prompts: Sequence[SuitePrompt], name: str, arm: Arm) -> NDArray[np.uint8]:
        """Return the pictures of a group's prompts under an arm: from their file, or made and written to it.

        Raises:
            SystemExit: There is no more time to make any.
        """
        steered = [replace(prompt, concepts=tuple(arm.chosen(prompt))) for prompt in prompts]
        texts = [[prompt.text, [concept.text for concept in prompt.concepts]] for prompt in steered]
        key = digest([self.model, arm.rule.name, asdict(arm.rule), STEPS, self.seeds, texts])[:16]
        path = self.folder / f"pictures-{prompts[0].category}-{name}-{key}.npz".replace(" ", "-")
        if not path.exists():
            if time.monotonic() > self.end:
                raise SystemExit("the time is over; call again to go on")
            began = time.process_time()
            seeds = range(self.seeds)
            made = generate_batches(self.pipe, arm.rule, steered, seeds, num_inference_steps=STEPS).images
            write_arrays(path, images=made)
            print(f"{path.name}: {len(made)} images, {time.process_time() - began:.0f} s", flush=True)
        return np.load(path)["images"]

    def right(self, prompts: Sequence[SuitePrompt], pictures: NDArray[np.uint8]) -> list[list[bool]]:
        """Return which concepts of each picture are right, and then of each accessory whether its wearer has it."""
        found = findings(self.judge, pictures)
        return [
            [*judged(seen, prompt.concepts), *have_what_they_wear(seen, prompt.concepts)]
            for seen, prompt in zip(found, repeated(prompts, len(pictures) // len(prompts)), strict=True)
        ]


def have_what_they_wear(found: Sequence[Detection], concepts: Sequence[Concept]) -> list[bool]:
    """Say of each accessory whether one of its kind and colour lies on an animal of the kind that is to wear it."""
    worn = [(concepts[index - 1], concept) for index, concept in enumerate(concepts) if concept.part_of is not None]
    return [
        any(
            abs(a.x - b.x) <= a.side / 2 and -REACH <= (b.y - a.y) / a.side <= 0.5
            for a in found
            if a.noun == wearer.head
            for b in found
            if b.noun == accessory.head and b.colour == asked_colour(accessory)
        )
        for wearer, accessory in worn
    ]


def rendered(prompts: Sequence[SuitePrompt], size: int) -> NDArray[np.uint8]:
    """Draw what prompts of wearers ask for."""
    pictures: list[NDArray[np.uint8]] = []
    for seed, prompt in enumerate(prompts):
        standing = [concept for concept in prompt.concepts if concept.part_of is None]
        things = [(concept.head, asked_colour(concept)) for concept in standing]
        scene = SMALL_WORLD.scene_of(np.random.default_rng(seed), things)
        objects = list(scene.objects)
        for wearer, concept in itertools.pairwise(prompt.concepts):
            if concept.part_of is not None:
                index = standing.index(wearer)
                objects.append(wear(objects[index], index, concept.head, asked_colour(concept)))
        drawn = render(replace(scene, objects=tuple(objects)), size)
        pictures.append((drawn * 255).round().astype(np.uint8))
    return np.stack(pictures)


def repeated(prompts: Sequence[SuitePrompt], seeds: int) -> list[SuitePrompt]:
    """Return the prompt of each picture: prompt by prompt, the seeds of a prompt side by side."""
    return [prompt for prompt in prompts for _ in range(seeds)]


def entry(arm: Arm, prompts: Sequence[SuitePrompt], right: dict[str, list[list[bool]]], name: str) -> dict[str, Any]:
    """Return what is to be kept of an arm: shares over prompts, paired with plain guidance and with steering all."""
    seeds = len(right[name]) // len(prompts)
    asked = [len(prompt.concepts) for prompt in repeated(prompts, seeds)]
    whole = {key: np.array([all(one) for one in rows], float) for key, rows in right.items()}
    things = {key: [np.array(one[:n]) for one, n in zip(rows, asked, strict=True)] for key, rows in right.items()}
    share = {key: np.array([one.mean() for one in rows]) for key, rows in things.items()}
    lost = np.array([(a & ~b).mean() for a, b in zip(things["plain"], things[name], strict=True)])
    columns = {
        "right": whole[name],
        "right_less_plain": whole[name] - whole["plain"],
        "right_less_all": whole[name] - whole["all"],
        "harm": whole["plain"] * (1 - whole[name]),
        "things_right": np.array([one.all() for one in things[name]], float),
        "concepts_right": share[name],
        "concepts_less_plain": share[name] - share["plain"],
        "concepts_less_all": share[name] - share["all"],
        "concepts_harmed": lost,
    }
    cost = [arm.rule.evaluations_per_image(STEPS, len(arm.chosen(prompt))) for prompt in prompts]
    return {
        "images": len(asked),
        **{key: asdict(bootstrap(column.reshape(-1, seeds).mean(axis=1))) for key, column in columns.items()},
        "evaluations": float(np.mean(cost)),
    }


def main() -> None:
    """Make what is missing as far as the time goes, then write and print the shares."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=9.0)
    parser.add_argument("--model", default="emoji-unet", choices=PLAIN)
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--only", choices=("worn", "lagging"))
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    bed = Bed(options.out, options.model, options.seeds, options.minutes)
    path = options.out / f"steered-concepts-{options.model}.json"
    kept: dict[str, dict[str, Any]] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    chosen = {name: members for name, members in groups(options.model).items() if options.only in (None, name)}
    for experiment, members in chosen.items():
        together: tuple[list[SuitePrompt], dict[str, list[list[bool]]]] = ([], {})
        for category, (prompts, arms) in members.items():
            right = {name: bed.right(prompts, bed.pictures(prompts, name, arm)) for name, arm in arms.items()}
            kept[category] = {name: entry(arm, prompts, right, name) for name, arm in arms.items()}
            if experiment == "worn":
                drawn = bed.right(prompts, rendered(prompts, bed.pipe.vae.config.sample_size))
                kept[category]["rendered"] = {"right": asdict(bootstrap([float(all(one)) for one in drawn]))}
            if "whole" in arms:
                together[0].extend(prompts)
                for name, rows in right.items():
                    together[1].setdefault(name, []).extend(rows)
                kept["two wholes"] = {name: entry(arm, *together, name) for name, arm in arms.items()}
            write_json(path, kept)
            show(category, kept[category])
        if together[0]:
            show("two wholes", kept["two wholes"])


def show(category: str, entries: dict[str, Any]) -> None:
    """Print a line for each way to steer."""
    for name, found in entries.items():
        shown = {key: Estimate(**value) if isinstance(value, dict) else value for key, value in found.items()}
        print(category, name, *(f"{key} {value}" for key, value in shown.items()), sep="  ", flush=True)


if __name__ == "__main__":
    main()
