"""The tiny pipelines are fit for tests: finite, and different for different texts."""

from __future__ import annotations

import pytest
import torch

from support.families.run import ROWS, made, run
from support.families.table import FAMILIES
from support.tiny.calls import CONCEPTS, PROMPT


@pytest.mark.parametrize(
    "name", [name if name in FAMILIES else pytest.param(name, marks=pytest.mark.slow) for name in ROWS]
)
def test_tiny_pipelines_are_finite_repeatable_and_hear_every_text(name: str) -> None:
    pipe, family = made(name), ROWS[name]
    pictures = {text: run(pipe, family, text) for text in (PROMPT, *CONCEPTS)}
    assert all(picture.isfinite().all() for picture in pictures.values())
    assert torch.equal(run(pipe, family, PROMPT), pictures[PROMPT])
    size = pictures[PROMPT].std()
    for text in CONCEPTS:
        assert (pictures[text] - pictures[PROMPT]).std() > 0.01 * size
    if family.scale:
        unguided = run(pipe, family, PROMPT, **{family.scale: family.off})
        assert (unguided - pictures[PROMPT]).std() > 0.01 * size


def test_tokenizer_of_qwen_image_reads_its_template_as_the_real_one() -> None:
    pipe = made("qwen-image")
    head, _ = pipe.prompt_template_encode.split("{}")
    assert len(pipe.tokenizer(head).input_ids) == pipe.prompt_template_encode_start_idx
