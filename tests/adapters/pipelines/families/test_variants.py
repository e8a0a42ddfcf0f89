"""Images, masks, controls and second denoisers go with every concept: the same as by a hook written by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch

from semguide import Composable, steer
from support.families.added import ADDED
from support.families.hooked import ENCODERS, HOOKS, sequential
from support.families.rows import denoisers_of
from support.families.run import ROWS, SCALE, run
from support.families.table import VARIANTS
from support.tiny.calls import CONCEPTS

RULE = Composable(SCALE, concept_weight=1.0, prompt_weight=1.0)
TOLERANCE = 1e-5
"""Largest deviation as a share of what the rule changes: that of the schedulers' single precision."""

SINGLE = 1e-3
"""The same where the models themselves work in single precision."""


@pytest.mark.slow
@pytest.mark.parametrize("name", [*VARIANTS, *ADDED])
def test_steered_output_is_that_of_a_hook_by_hand(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    family = ROWS[name]
    of = max((base for base in ENCODERS if name.startswith(base)), key=len)
    pipe: Any = family.make()
    pipe.to(torch.float64 if family.double else torch.float32)
    given = {key: _double(value) for key, value in family.arguments.items() if "embeds" in key}
    steered, plain = run(steer(pipe, RULE), family, concepts=CONCEPTS, **given), run(pipe, family, **given)
    with torch.no_grad():
        texts = [*CONCEPTS, ""] if "embedded" in of else CONCEPTS
        concepts = [ENCODERS[of](pipe, text) for text in texts]
    w = SCALE + family.shift
    for denoiser in denoisers_of(pipe):
        monkeypatch.setattr(denoiser, "forward", HOOKS.get(of, sequential)(denoiser.forward, w, concepts))
    by_hand, effect = run(pipe, family, **given), (steered - plain).abs().max()
    assert effect > 1e-3 * plain.abs().max()
    assert (steered - by_hand).abs().max() < (TOLERANCE if family.double else SINGLE) * effect


def _double(value: Any) -> Any:
    return value.double() if isinstance(value, torch.Tensor) else [item.double() for item in value]
