"""The table against the installed diffusers: a signature that changed there fails here."""

from __future__ import annotations

import ast
import inspect
import re
import textwrap
from typing import Any, get_args

import diffusers
import pytest
from packaging.version import Version

from semguide.adapters.pipelines.families.registry import (
    ARCHITECTURES,
    FAMILIES,
    REASONS,
    REFUSED,
    PipelineSpec,
    spec_of,
)
from semguide.errors import UnsupportedPipeline

OLDER = Version(diffusers.__version__) < Version("0.42.1")
KNOWN = {"self", "device", "dtype", "image", "kwargs", "lora_scale", "do_classifier_free_guidance"}
EVERY_CLASS = pytest.mark.parametrize("name", ARCHITECTURES)


def of(name: str) -> tuple[Any, PipelineSpec]:
    if OLDER and not hasattr(diffusers, name):
        pytest.skip(f"no {name} in diffusers {diffusers.__version__}")
    pipeline = getattr(diffusers, name)
    if missing := getattr(pipeline, "_backends", None):  # a stand-in where a library is not installed
        pytest.skip(f"{name} needs one of {', '.join(missing)}, which is not installed")
    return pipeline, ARCHITECTURES[name]


def parameters(function: Any) -> list[str]:
    return list(inspect.signature(function).parameters)


def embeddings(row: PipelineSpec) -> set[str]:
    names = {name.removeprefix("negative_") for name in row.text.embeds if name}
    return names | {f"negative_{name}" for name in names}


def denoiser_classes(pipeline: Any, row: PipelineSpec) -> list[Any]:
    """Return the classes of its denoisers, from the annotations of its parts."""
    given = inspect.signature(pipeline.__init__, eval_str=True).parameters
    kinds = [given[name].annotation for name in row.denoisers if name in given]
    return [next(part for part in (*get_args(kind), kind) if hasattr(part, "forward")) for kind in kinds]


@EVERY_CLASS
def test_prompts_are_encoded_as_the_row_says(name: str) -> None:
    pipeline, row = of(name)
    given, call = parameters(pipeline.encode_prompt), parameters(pipeline.__call__)
    texts = row.text.inputs if row.text.together else row.text.prompts
    passed = {*texts, *row.text.options, *row.text.fixed}
    passed |= {"do_classifier_free_guidance"} if row.text.together else set()
    passed |= {"lora_scale"} if row.text.lora else set()
    passed |= {"negative_prompt"} if row.mechanism == "conditional" and row.text.together else set()
    scaled = "lora_scale=" in inspect.getsource(pipeline.__call__)
    assert passed <= set(given)
    assert set(given) - passed - embeddings(row) - KNOWN == set(), "encode_prompt takes something new"
    assert row.text.lora is None or "lora_scale" in given
    assert row.text.lora is not None or not scaled
    assert {*row.text.inputs, *row.text.options, row.per_prompt} - {""} <= set(call)
    assert {p for p in call if re.fullmatch(r"(negative_)?prompt(_\d)?", p)} == set(row.text.inputs)


@EVERY_CLASS
def test_embeddings_come_back_in_the_rows_order(name: str) -> None:
    pipeline, row = of(name)
    function = ast.parse(textwrap.dedent(inspect.getsource(pipeline.encode_prompt))).body[0]
    returned = [node.value for node in ast.walk(function) if isinstance(node, ast.Return)]
    assert returned
    for found in returned:
        assert isinstance(found, ast.Tuple)
        names = [re.sub(r"\bmasked_|\.to\(.*\)$", "", ast.unparse(item)) for item in found.elts]
        kept = [name if kept else "" for name, kept in zip(names, row.text.embeds, strict=True)]
        assert kept == list(row.text.embeds)


@EVERY_CLASS
def test_denoisers_take_what_the_row_names(name: str) -> None:
    pipeline, row = of(name)
    classes = denoiser_classes(pipeline, row)
    assert len(classes) == len(row.denoisers)
    for kind in classes:
        given = parameters(kind.forward)[1:]
        assert tuple(given[: len(row.positional)]) == row.positional
        nested = {"text_embeds"} if "added_cond_kwargs" in given else set()
        named = {*row.text.conditioning.values(), *row.rows.dims, *row.rows.lists, *row.rows.shared, *row.extra}
        assert named <= {*given, *nested}


@EVERY_CLASS
def test_scale_is_where_the_row_says(name: str) -> None:
    pipeline, row = of(name)
    call = parameters(pipeline.__call__)
    if row.scale.guiders:
        assert set(row.scale.guiders) <= set(parameters(pipeline.__init__))
        assert not set(row.scale.arguments) & set(call)
        return
    assert set(row.scale.arguments) <= set(call)
    assert set(row.scale.dynamic_args) <= set(call)
    source = inspect.getsource(pipeline.__call__)
    if row.mechanism == "conditional":
        assert "chunk(2)" not in source
        assert len(re.findall(r"= self\.(?:unet|transformer)\(", source)) == 1
        return
    if row.mechanism == "embedded":
        assert "self.transformer.config.guidance_embeds" in source
        assert "chunk(2)" not in source
        assert source.count("= self.transformer(") == 1
        assert "guidance" in parameters(denoiser_classes(pipeline, row)[0].forward)
        return
    if "(guidance_scale + 1.0) * noise_pred_text - guidance_scale * noise_pred_uncond" in source:  # Kandinsky 3
        assert (row.scale.shift, row.scale.disabled_at, row.scale.per_step) == (1.0, 1.0, False)
        assert "self._guidance_scale > 1" in inspect.getsource(pipeline.do_classifier_free_guidance.fget)
        return
    formulas = re.findall(r"(self\.)?_?(?:\w+_)?(?:guidance|cfg)_scale \* \((?!\s*\(1 - )", source)
    assert len(formulas) == 1
    assert (formulas[0] == "self." or "current_guidance_scale = self.guidance_scale" in source) == row.scale.per_step
    anchored = r" = (pos|noise_pred|noise_pred_cond) \+ (current_|self\.)guidance_scale \* \(\1 - "
    assert bool(re.search(anchored, source)) == (row.scale.shift == 1.0)
    assert ("noise_pred = -noise_pred" in source) == (row.sign == -1.0)


@EVERY_CLASS
def test_u_nets_of_latent_consistency_models_are_known_where_the_pipeline_gives_them_their_scale(name: str) -> None:
    pipeline, row = of(name)
    reads = re.search(r"timestep_cond=\w+", inspect.getsource(pipeline.__call__)) is not None
    assert bool(row.distilled) == (reads and row.denoisers == ("unet",))
    assert not (row.distilled and any(limit.key == row.distilled for limit in row.limits))


@pytest.mark.parametrize("name", REASONS)
def test_pipelines_that_cannot_be_steered_are_refused_with_the_rows_reason(name: str) -> None:
    if OLDER and not hasattr(diffusers, name):
        pytest.skip(f"no {name} in diffusers {diffusers.__version__}")
    with pytest.raises(UnsupportedPipeline, match=re.escape(f"pipe is a {name}, which {REASONS[name]}")):
        spec_of(object.__new__(getattr(diffusers, name)))


def test_no_pipeline_is_in_the_table_twice() -> None:
    names = [name for row in (*FAMILIES, *REFUSED) for name in row.pipelines]
    assert len(names) == len(set(names))


@pytest.mark.skipif(OLDER, reason="the table was written for a newer diffusers")
def test_pipelines_of_the_table_are_diffusers_classes() -> None:
    assert [name for name in (*ARCHITECTURES, *REASONS) if not hasattr(diffusers, name)] == []


def test_every_pipeline_that_diffusers_chooses_is_steered_or_refused_with_a_reason() -> None:
    from diffusers.pipelines import auto_pipeline

    audio = set(auto_pipeline.AUTO_TEXT2AUDIO_PIPELINES_MAPPING.values())
    chosen = {kind for mapping in auto_pipeline.SUPPORTED_TASKS_MAPPINGS for kind in mapping.values()} - audio
    assert sorted(kind.__name__ for kind in chosen if kind.__name__ not in {**ARCHITECTURES, **REASONS}) == []
