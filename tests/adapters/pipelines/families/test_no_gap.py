"""Every pipeline of diffusers that makes images or videos of a text has a row or a reason of its own."""

from __future__ import annotations

import ast
import dataclasses
import inspect
import re
import textwrap
from collections.abc import Iterator
from functools import cache
from typing import Any

import diffusers
import pytest
from packaging.version import Version

from semguide.adapters.pipelines.families.registry import ARCHITECTURES, GUIDED, REASONS, REFUSED

SEEN = {"images", "image", "frames", "videos", "rgb"}
"""Fields of an output that hold images or videos."""
UNSEEN = {"onnx", "librosa", "note_seq"}
"""Libraries of pipelines that run no denoiser of PyTorch, or make sounds; these are stand-ins without the library."""
GUIDED_NAMES = {name for family in GUIDED for name in family.pipelines}

pytestmark = pytest.mark.skipif(
    Version(diffusers.__version__) < Version("0.42.1"), reason="the table was written for a newer diffusers"
)


@cache  # reads the source of every pipeline
def pipelines() -> frozenset[str]:
    """Return the names of ordinary pipelines that take a prompt and return images or videos."""
    return frozenset(_pipelines())


def _pipelines() -> Iterator[str]:
    for name in dir(diffusers):
        kind = getattr(diffusers, name)
        if not name.endswith("Pipeline") or "modular_pipelines" in getattr(kind, "__module__", ""):
            continue
        if missing := getattr(kind, "_backends", None):
            if not UNSEEN.intersection(missing):
                yield name
        elif "prompt" in inspect.signature(kind.__call__).parameters and SEEN.intersection(returned(kind)):
            yield name


def returned(kind: Any) -> set[str]:
    """Return the fields of what a pipeline's calls return, of its whole file where they only hand on."""
    known = vars(inspect.getmodule(kind))
    for source in (inspect.getsource(kind.__call__), inspect.getsource(kind)):
        found = [node.value for node in ast.walk(ast.parse(textwrap.dedent(source))) if isinstance(node, ast.Return)]
        outputs = [known.get(_called(node)) for node in found]
        fields = {
            field.name for kind in outputs if dataclasses.is_dataclass(kind) for field in dataclasses.fields(kind)
        }
        if fields:
            return fields
    return set()


def _called(node: Any) -> str:
    """Return the name that an expression calls; empty where it is none."""
    return node.func.id if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) else ""


def guided_blocks() -> Iterator[str]:
    """Yield the names of the blocks of modular pipelines that have a guider and make images or videos."""
    for name in dir(diffusers):
        if not name.endswith("Blocks"):
            continue
        blocks = getattr(diffusers, name)()
        if blocks.sub_blocks and any(part.name == "guider" for part in blocks.expected_components):
            yield name


def test_every_pipeline_of_images_or_videos_by_text_has_a_row_or_a_reason() -> None:
    known = {*ARCHITECTURES, *REASONS, *GUIDED_NAMES}
    assert sorted(pipelines() - known) == []


def test_the_rule_finds_what_people_use_and_leaves_out_other_kinds() -> None:
    found = pipelines()
    assert {
        "StableDiffusionPipeline",
        "FluxPipeline",
        "WanPipeline",
        "AnimateDiffPipeline",
        "GlmImagePipeline",
    } <= found
    others = {
        "StableAudioPipeline",
        "KandinskyPriorPipeline",
        "DDPMPipeline",
        "LLaDA2Pipeline",
        "MarigoldDepthPipeline",
    }
    assert not others & found


def test_every_modular_pipeline_with_a_guider_has_a_row_or_a_reason() -> None:
    named = {name: re.sub("(Auto)?Blocks$", "ModularPipeline", name) for name in guided_blocks()}
    assert sorted(name for name, pipe in named.items() if name not in GUIDED_NAMES and pipe not in REASONS) == []


@pytest.mark.parametrize("row", REFUSED, ids=lambda row: row.family)
def test_a_reason_says_what_to_use_and_what_it_names_is_in_the_source(row: Any) -> None:
    assert re.search(r"; (use|steer|there is no) ", row.reason)
    for name in row.pipelines:
        kind = getattr(diffusers, name)
        if getattr(kind, "_backends", None):
            continue
        module = inspect.getsource(inspect.getmodule(kind))  # type: ignore[arg-type]
        before = row.reason.rsplit(";", 1)[0]
        for missing, word in re.findall(r"\b(no )?([a-z]+(?:_[a-z0-9]+)+)\b", before):
            if missing:
                assert word not in {*dir(kind), *inspect.signature(kind.__call__).parameters}, (name, word)
            else:
                assert word in module or word in inspect.getsource(kind.__mro__[1]), (name, word)
