"""Rows of a denoiser call."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from diffusers.models.unets.unet_2d_condition import UNet2DConditionOutput

from semguide.adapters.pipelines.denoiser_call import DenoiserCall, joined, prediction_of, shape_of, with_prediction
from semguide.adapters.pipelines.families.spec import BatchLayout


def test_every_tensor_with_a_row_per_prediction_is_chosen_from() -> None:
    rows = torch.arange(4)
    nest = {"ids": rows, "list": [rows, (rows, None)]}
    given = {"added": nest, "t": torch.tensor(4), "other": torch.arange(3), "x": 2, "ids": rows, "shapes": [7] * 4}
    layout = BatchLayout(shared=("ids",), lists=("shapes",), dims={"deep": 1})
    deep = torch.arange(12).reshape(3, 4)
    chosen = DenoiserCall(("sample",), layout, (rows, rows), {**given, "deep": deep}).at([1, 3, 3])
    assert [arg.tolist() for arg in chosen.args] == [[1, 3, 3]] * 2
    assert chosen.kwargs["added"]["list"][0].tolist() == [1, 3, 3]
    assert chosen.kwargs["added"]["list"][1][0].tolist() == [1, 3, 3]
    assert chosen.kwargs["added"]["list"][1][1] is None
    for name in ("t", "other", "x", "ids"):
        assert chosen.kwargs[name] is given[name]
    assert chosen.kwargs["shapes"] == [7] * 3
    assert torch.equal(chosen.kwargs["deep"], deep[:, [1, 3, 3]])


def test_lists_of_samples_have_a_row_per_entry() -> None:
    samples = [torch.full((2,), i) for i in range(4)]
    call = DenoiserCall(("x",), BatchLayout(lists=("x", "shapes")), (samples,), {"shapes": ["one for all"]})
    assert call.total == 4
    chosen = call.at([2, 0])
    assert [sample[0].item() for sample in chosen.sample] == [2, 0]
    assert chosen.kwargs["shapes"] == ["one for all"] * 2


def test_conditionings_are_joined_row_by_row() -> None:
    parts = [{"text": torch.full((1, 2), k), "deep": torch.full((3, 1), k), "feats": [k], "mask": None} for k in (5, 6)]
    whole = joined(parts, BatchLayout(dims={"deep": 1}))
    assert whole["text"].tolist() == [[5, 5], [6, 6]]
    assert whole["deep"].tolist() == [[5, 6]] * 3
    assert whole["feats"] == [5, 6]
    assert whole["mask"] is None


def test_shapes_tell_what_can_be_joined() -> None:
    long, short = torch.zeros(1, 3), torch.zeros(1, 2)
    assert shape_of({"text": long}) != shape_of({"text": short})
    assert shape_of({"text": [long[0]]}) != shape_of({"text": [short[0]]})
    assert shape_of({"text": long, "mask": None}) != shape_of({"text": long, "mask": long})
    assert shape_of({"text": long, "mask": None}) == shape_of({"text": long + 1, "mask": None})


@pytest.mark.parametrize("by_position", [0, 1, 3])
def test_conditioning_is_replaced_at_any_depth_in_the_calls_own_dtype(by_position: int) -> None:
    old = torch.zeros(2, 3, dtype=torch.float16)
    names = ("sample", "timestep", "text")
    kwargs: dict[str, Any] = {"sample": old, "timestep": 5, "text": old, "added": {"pooled": old, "ids": old}}
    args = tuple(kwargs.pop(name) for name in names[:by_position])
    call = DenoiserCall(names, BatchLayout(), args, kwargs)
    new = call.conditioned({"text": torch.ones(2, 7), "pooled": torch.ones(2, 3), "absent": torch.ones(2)})
    assert len(new.args) == by_position
    given = {**dict(zip(names, new.args, strict=False)), **new.kwargs}
    assert given["text"].shape == (2, 7)
    assert given["added"]["pooled"].dtype == torch.float16
    assert given["added"]["pooled"].sum() == 6
    assert given["added"]["ids"] is old
    assert new.sample is old
    assert call.kwargs["added"]["pooled"] is old


def test_mask_of_a_concept_keeps_the_part_of_the_image() -> None:
    call = DenoiserCall(
        ("x",), BatchLayout(tails=("mask",)), (), {"x": torch.zeros(1, 2), "mask": torch.tensor([[1, 1, 0, 7, 8]])}
    )
    replaced = call.conditioned({"mask": torch.tensor([[1, 0, 0]])})
    assert replaced.argument("mask").tolist() == [[1, 0, 0, 7, 8]]


def test_conditioning_may_be_absent_in_the_call_or_in_its_replacement() -> None:
    call = DenoiserCall(("sample",), BatchLayout(), (torch.zeros(1),), {"mask": None, "other_mask": torch.ones(1)})
    mask = torch.ones(1)
    new = call.conditioned({"mask": mask, "other_mask": None})
    assert new.kwargs["mask"] is mask
    assert new.kwargs["other_mask"] is None


@pytest.mark.parametrize("kind", ["tuple", "object", "tensor"])
def test_outputs_keep_their_form(kind: str) -> None:
    x, y = torch.zeros(2), torch.ones(2)
    output = {"tuple": (x, "more"), "object": UNet2DConditionOutput(sample=x), "tensor": x}[kind]
    changed = with_prediction(output, y)
    assert type(changed) is type(output)
    assert prediction_of(output) is x
    assert prediction_of(changed) is y
    assert kind != "tuple" or changed[1] == "more"


def test_lists_of_predictions_stay_lists() -> None:
    output = ([torch.zeros(3), torch.ones(3)], "more")
    assert prediction_of(output).shape == (2, 3)
    changed = with_prediction(output, prediction_of(output) + 1)
    assert [row[0].item() for row in changed[0]] == [1, 2]
