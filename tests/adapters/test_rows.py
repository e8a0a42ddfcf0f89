"""Rows of a denoiser call."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput

from semguide.adapters.rows import DenoiserCall, choose_rows, prediction_of, with_prediction


def test_every_tensor_with_a_row_per_prediction_is_chosen_from() -> None:
    rows = torch.arange(4)
    added = {"ids": rows, "list": [rows, (rows, None)]}
    nest = {"added": added, "t": torch.tensor(4), "other": torch.arange(3), "x": 2}
    chosen = choose_rows(nest, 4, [1, 3, 3])
    assert chosen["added"]["ids"].tolist() == [1, 3, 3]
    assert chosen["added"]["list"][0].tolist() == [1, 3, 3]
    assert chosen["added"]["list"][1][0].tolist() == [1, 3, 3]
    assert chosen["added"]["list"][1][1] is None
    assert chosen["t"] is nest["t"]
    assert chosen["other"] is nest["other"]
    assert chosen["x"] == 2


@pytest.mark.parametrize("by_position", [0, 1, 3])
def test_conditioning_is_replaced_at_any_depth_in_the_calls_own_dtype(by_position: int) -> None:
    old = torch.zeros(2, 3, dtype=torch.float16)
    names = ("sample", "timestep", "text")
    kwargs: dict[str, Any] = {"sample": old, "timestep": 5, "text": old, "added": {"pooled": old, "ids": old}}
    args = tuple(kwargs.pop(name) for name in names[:by_position])
    call = DenoiserCall(names, args, kwargs)
    new = call.conditioned({"text": torch.ones(2, 7), "pooled": torch.ones(2, 3), "absent": torch.ones(2)})
    assert len(new.args) == by_position
    given = {**dict(zip(names, new.args, strict=False)), **new.kwargs}
    assert given["text"].shape == (2, 7)
    assert given["added"]["pooled"].dtype == torch.float16
    assert given["added"]["pooled"].sum() == 6
    assert given["added"]["ids"] is old
    assert new.sample is old
    assert call.kwargs["added"]["pooled"] is old


@pytest.mark.parametrize("kind", ["tuple", "object", "tensor"])
def test_outputs_keep_their_form(kind: str) -> None:
    x, y = torch.zeros(2), torch.ones(2)
    output = {"tuple": (x, "more"), "object": UNet2DConditionOutput(sample=x), "tensor": x}[kind]
    changed = with_prediction(output, y)
    assert type(changed) is type(output)
    assert prediction_of(output) is x
    assert prediction_of(changed) is y
    assert kind != "tuple" or changed[1] == "more"
