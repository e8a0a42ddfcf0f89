"""What the embedded models read of a prompt."""

from __future__ import annotations

import pytest

from semguide.adapters.inputs import truncations
from semguide.adapters.pipelines.families.registry import spec_of
from semguide.adapters.pipelines.text_encoding import readers_of
from semguide.models import load


@pytest.mark.parametrize(("name", "limit"), [("emoji-unet", 32), ("emoji-flow", 24)])
def test_the_embedded_models_read_the_tokens_of_their_clip(name: str, limit: int) -> None:
    pipe = load(name)
    (found,) = truncations(readers_of(pipe, spec_of(pipe).text, {}), ["a red cat and " * 12], [[]])
    assert found.limit == limit
