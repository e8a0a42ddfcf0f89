"""The guider in a real ComfyUI, where COMFYUI_PATH names a checkout. Run it with a Python that can import it.

Needed there beside semguide: what ComfyUI's samplers import (einops, torchsde, scipy, psutil, ...); torchvision not.
"""

from __future__ import annotations

import asyncio
import inspect
import json
import types
from collections import defaultdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

from semguide import CFG, SGT, SGTv1, SGTv2, steer
from semguide.adapters.hosts.comfyui.install import PACK, install_pack
from support.comfyui import real, standin
from support.comfyui.tiny import checkpoint, encode
from support.tiny.calls import CONCEPTS, PROMPT

pytestmark = [
    pytest.mark.skipif(not real.FOLDER, reason="no ComfyUI: set COMFYUI_PATH to a checkout"),
    pytest.mark.filterwarnings("ignore"),
]

STEPS = 5
SAMPLERS = ["euler", "heun", "dpm_2", "dpmpp_2m", "dpmpp_sde", "uni_pc", "euler_cfg_pp"]


@pytest.fixture
def samplers(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the real comfy.samplers."""
    standin.forget(monkeypatch)
    return real.comfy("comfy.samplers")


@pytest.fixture
def patcher(sd: Any) -> Any:
    return real.patched(real.DiffusersUNet(sd.unet))


def guider_of(pipe: Any, patcher: Any, rule: Any, concepts: Any = CONCEPTS) -> Any:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    guider = SemanticGuider(patcher, rule)
    guider.set_conds(encode(pipe, PROMPT), encode(pipe, ""), [encode(pipe, text) for text in concepts])
    return guider


def plain_of(pipe: Any, patcher: Any, samplers: Any) -> Any:
    guider = samplers.CFGGuider(patcher)
    guider.set_conds(encode(pipe, PROMPT), encode(pipe, ""))
    guider.set_cfg(7.5)
    return guider


def noise_of(images: int = 2) -> torch.Tensor:
    return torch.randn(images, 4, 8, 8, generator=torch.Generator().manual_seed(1))


def sample(samplers: Any, guider: Any, name: str = "euler", sigmas: Any = None, noise: Any = None) -> torch.Tensor:
    sigmas = schedule(samplers, guider.model_patcher) if sigmas is None else sigmas
    noise = noise_of() if noise is None else noise
    sampler = samplers.sampler_object(name)
    return guider.sample(noise, torch.zeros_like(noise), sampler, sigmas, disable_pbar=True, seed=3)


def schedule(samplers: Any, patcher: Any) -> torch.Tensor:
    return samplers.calculate_sigmas(patcher.get_model_object("model_sampling"), "normal", STEPS)


@pytest.mark.parametrize("name", SAMPLERS)
def test_without_concepts_it_is_the_cfg_guider_of_comfyui_to_the_bit(
    sd: Any, patcher: Any, samplers: Any, name: str
) -> None:
    given = sample(samplers, guider_of(sd, patcher, SGT(), concepts=[]), name)
    assert torch.equal(given, sample(samplers, plain_of(sd, patcher, samplers), name))


@pytest.mark.parametrize("name", SAMPLERS)
def test_a_rule_that_is_off_is_the_cfg_guider_of_comfyui_to_the_bit(
    sd: Any, patcher: Any, samplers: Any, name: str
) -> None:
    given = sample(samplers, guider_of(sd, patcher, CFG()), name)
    assert torch.equal(given, sample(samplers, plain_of(sd, patcher, samplers), name))


@pytest.mark.parametrize("name", SAMPLERS)
def test_every_sampler_can_be_steered_and_the_same_seed_gives_the_same_image(
    sd: Any, patcher: Any, samplers: Any, name: str
) -> None:
    guider = guider_of(sd, patcher, SGTv2(warmup_steps=0))
    first = sample(samplers, guider, name)
    assert torch.isfinite(first).all()
    assert not torch.equal(first, sample(samplers, plain_of(sd, patcher, samplers), name))
    assert torch.equal(sample(samplers, guider, name), first)


def test_concepts_are_evaluated_in_the_window_only_in_one_batch_with_the_prompts(
    sd: Any, patcher: Any, samplers: Any
) -> None:
    sample(samplers, guider_of(sd, patcher, SGT(stop=0.4)), noise=noise_of(1))
    assert patcher.model.diffusion_model.rows == [4, 4, 2, 2, 2]


@pytest.mark.parametrize("count", [1, 3])
def test_at_a_cfg_of_1_guider_and_patch_draw_the_same_and_with_one_concept_what_comfyui_does(
    sd: Any, patcher: Any, samplers: Any, count: int
) -> None:
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    concepts, rule = [*CONCEPTS, "a cat"][-count:], SGT(1.0, stop=0.4)
    plain = plain_of(sd, patcher, samplers)
    plain.set_cfg(1.0)
    expected, rows = sample(samplers, plain, noise=noise_of(1)), patcher.model.diffusion_model.rows
    rows.clear()
    drawn = sample(samplers, guider_of(sd, patcher, rule, concepts), noise=noise_of(1))
    assert rows == ([1] * STEPS if count == 1 else [1 + count] * 2 + [1] * 3)
    model = ModelPatch(rule, [encode(sd, text) for text in concepts]).patched(patcher)
    patched = plain_of(sd, model, samplers)
    patched.set_cfg(1.0)
    found = sample(samplers, patched, noise=noise_of(1))
    assert torch.equal(drawn, expected) == torch.equal(found, expected) == (count == 1)
    torch.testing.assert_close(found, drawn, rtol=1e-3, atol=1e-4)


RULES = [SGT(), SGT(stop=1.0), SGT(1.0), SGTv1(), SGTv2(warmup_steps=0)]


@pytest.mark.parametrize("rule", RULES, ids=["sgt", "sgt-all-steps", "sgt-without-guidance", "sgt-v1", "sgt-v2"])
def test_the_steered_latents_are_those_of_the_steered_diffusers_pipeline(
    sd: Any, patcher: Any, samplers: Any, rule: Any
) -> None:
    """Same network, embeddings, sigmas and noise in both hosts; float32, so equal to 1e-4 of the largest value."""
    from diffusers import EulerDiscreteScheduler

    sd.scheduler = EulerDiscreteScheduler(
        beta_schedule="scaled_linear", beta_start=0.00085, beta_end=0.012, timestep_spacing="leading", steps_offset=1
    )
    sd.scheduler.set_timesteps(STEPS)
    sigmas, noise = sd.scheduler.sigmas.clone(), noise_of(1)
    given = sample(samplers, guider := guider_of(sd, patcher, rule), sigmas=sigmas, noise=noise)
    start = noise * sigmas[0] / sd.scheduler.init_noise_sigma
    expected = steer(sd, rule)(PROMPT, latents=start, num_inference_steps=STEPS, output_type="latent")
    latents = given * patcher.model.latent_format.scale_factor
    torch.testing.assert_close(latents, expected.images, rtol=0, atol=1e-4 * float(expected.images.abs().max()))
    np.testing.assert_allclose(guider.trace().similarity[0], expected.trace.similarity[0], atol=1e-4)
    np.testing.assert_array_equal(np.sign(guider.trace().gate[0]), np.sign(expected.trace.gate[0]))


def test_a_flow_model_is_steered_with_its_own_scale(sd: Any, samplers: Any) -> None:
    from semguide.adapters.hosts.sampler_session import eps_scale

    patcher = real.patched(real.DiffusersUNet(sd.unet), "FLOW")
    sampling = patcher.get_model_object("model_sampling")
    assert float(eps_scale(sampling, torch.tensor(0.25))) == pytest.approx(-3.0)
    assert torch.isfinite(sample(samplers, guider_of(sd, patcher, SGTv2(warmup_steps=0)))).all()
    given = sample(samplers, guider_of(sd, patcher, SGT(), concepts=[]))
    assert torch.equal(given, sample(samplers, plain_of(sd, patcher, samplers)))


@pytest.mark.parametrize("kind", ["EPS", "V_PREDICTION"])
def test_the_scale_of_models_without_a_shrinking_image_is_minus_one_by_sigma(sd: Any, samplers: Any, kind: str) -> None:
    from semguide.adapters.hosts.sampler_session import eps_scale

    sampling = real.patched(real.DiffusersUNet(sd.unet), kind).get_model_object("model_sampling")
    assert float(eps_scale(sampling, torch.tensor(4.0))) == pytest.approx(-0.25)


UNET = {
    "nodes_pag": ("PerturbedAttentionGuidance", {"scale": 3.0}),
    "nodes_sag": ("SelfAttentionGuidance", {"scale": 0.5, "blur_sigma": 2.0}),
    "nodes_nag": ("NAGuidance", {"nag_scale": 5.0, "nag_alpha": 0.5, "nag_tau": 1.5}),
}
"""Nodes of ComfyUI that patch the network itself, and what they take."""
LAYERS = {"double_layers": "1", "single_layers": "", "start_percent": 0.0, "end_percent": 1.0}
SKIPPED = {"SkipLayerGuidanceDiT": {"scale": 3.0, "rescaling_scale": 0.0}, "SkipLayerGuidanceDiTSimple": {}}
"""Nodes of ComfyUI that leave out layers, and what they take besides."""
PATCHES = [*UNET, *SKIPPED, "by places", "by numbers"]


def changed_model(name: str) -> Any:
    """Return a model with a patch."""
    if name in SKIPPED:
        model = real.patched(real.small_mmdit(), "FLOW", "SD3")
        return run_node("nodes_slg", name, model=model, **LAYERS, **SKIPPED[name])
    model = real.patched(real.small_unet())
    if name in UNET:
        node, how = UNET[name]
        return run_node(name, node, model=model, **how)
    model.set_model_attn1_patch(by_places if name == "by places" else by_numbers)
    return model


def by_places(q: Any, k: Any, v: Any, options: Any) -> Any:
    """Patch as StyleAligned does, which knows a batch of negative prompts and prompts."""
    del options
    negative, positive = q.chunk(2)
    return torch.cat([negative * 0.9, positive * 1.1]), k, v


def by_numbers(q: Any, k: Any, v: Any, options: Any) -> Any:
    """Patch as IPAdapter does, which has something for each of two conditionings."""
    images = len(q) // len(options["cond_or_uncond"])
    strengths = torch.tensor([(1.1, 0.9)[number] for number in options["cond_or_uncond"]])
    return q * strengths.repeat_interleave(images).reshape(-1, 1, 1), k, v


def run_node(module: str, name: str, **inputs: Any) -> Any:
    """Run a node of ComfyUI of either schema; returns its first output."""
    node = getattr(real.comfy(f"comfy_extras.{module}"), name)
    given = node.execute(**inputs) if hasattr(node, "execute") else getattr(node(), node.FUNCTION)(**inputs)
    return (given if isinstance(given, tuple) else given.args)[0]


def random_text(number: int) -> Any:
    generator = torch.Generator().manual_seed(number)
    return [[torch.randn(1, 7, 32, generator=generator), {"pooled_output": torch.randn(1, 8, generator=generator)}]]


@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("name", PATCHES)
def test_nodes_that_patch_the_network_work_with_any_number_of_concepts(samplers: Any, name: str, count: int) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    if name in UNET and not (Path(real.FOLDER) / "comfy_extras" / f"{name}.py").exists():
        pytest.skip(f"this ComfyUI has no {name}")
    model = changed_model(name)
    noise = torch.randn(2, 16 if name in SKIPPED else 4, 8, 8, generator=torch.Generator().manual_seed(1))
    plain = samplers.CFGGuider(model)
    plain.set_conds(random_text(0), random_text(1))
    plain.set_cfg(7.5)
    expected = sample(samplers, plain, noise=noise)
    near = 1e-4 * float(expected.abs().max())
    concepts = [random_text(2 + number) for number in range(count)]
    drawn = []
    for rule in (SGTv1(subject_threshold=0.0, abstract_threshold=0.0, upper_bound=1.0), SGTv2(warmup_steps=0)):
        guider = SemanticGuider(model, rule)
        guider.set_conds(random_text(0), random_text(1), concepts)
        drawn.append(sample(samplers, guider, noise=noise))
    torch.testing.assert_close(drawn[0], expected, rtol=0, atol=near)  # it evaluates and never steers
    patched = samplers.CFGGuider(ModelPatch(SGTv2(warmup_steps=0), concepts).patched(model))
    patched.set_conds(random_text(0), random_text(1))
    patched.set_cfg(7.5)
    for found in (drawn[1], sample(samplers, patched, noise=noise)):
        assert torch.isfinite(found).all()
        assert (found - expected).abs().max() > 10 * near


@pytest.mark.parametrize("name", ["nodes_pag", "by numbers"])
def test_at_a_cfg_of_1_nodes_that_patch_the_network_work_too(samplers: Any, name: str) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    model, rule, concepts = changed_model(name), SGT(1.0), [random_text(2 + number) for number in range(3)]
    guider = SemanticGuider(model, rule)
    guider.set_conds(random_text(0), random_text(1), concepts)
    drawn = []
    for used in (model, ModelPatch(rule, concepts).patched(model)):
        plain = samplers.CFGGuider(used)
        plain.set_conds(random_text(0), random_text(1))
        plain.set_cfg(1.0)
        drawn.append(sample(samplers, plain))
    drawn.append(sample(samplers, guider))
    assert not torch.equal(drawn[0], drawn[1])
    torch.testing.assert_close(drawn[2], drawn[1], rtol=1e-3, atol=1e-3)


class _Recorder:
    """A CLIP that notes what it is to encode."""

    def __init__(self, tokenizer: Any) -> None:
        self.tokenizer, self.encoded = tokenizer, []

    def tokenize(self, text: str) -> Any:
        return self.tokenizer.tokenize_with_weights(text)

    def encode_from_tokens_scheduled(self, tokens: Any, add_dict: Any) -> Any:
        self.encoded.append((tokens, dict(add_dict)))
        return [[torch.zeros(1), {}]]


def encoded_by_comfyui(module: str, name: str, clip: _Recorder, **inputs: Any) -> Any:
    """Return what ComfyUI's own node encodes; its methods have had two names."""
    node = getattr(real.comfy(f"comfy_extras.{module}"), name)
    (node.execute if hasattr(node, "execute") else node().encode)(clip=clip, **inputs)
    return clip.encoded[-1]


@pytest.mark.parametrize("texts", [("a cat, " * 60, "a dog"), ("a cat", "a dog, " * 60), ("a cat", "a dog")])
def test_prompts_for_sdxl_are_encoded_as_by_comfyuis_own_node(samplers: Any, texts: tuple[str, str]) -> None:
    from semguide.adapters.hosts.comfyui.encoding import DecomposePromptSDXL

    del samplers
    clip = _Recorder(real.comfy("comfy.sdxl_clip").SDXLTokenizer())
    names = ("width", "height", "crop_w", "crop_h", "target_width", "target_height")
    sizes: dict[str, Any] = dict(zip(names, (1024, 768, 1, 2, 512, 384), strict=True))
    given = {"text_g": texts[0], "text_l": texts[1], **sizes}
    DecomposePromptSDXL().decompose(clip, **given, concepts="a cat")
    tokens, options = clip.encoded[-1]  # the prompt comes last
    theirs, theirs_options = encoded_by_comfyui("nodes_clip_sdxl", "CLIPTextEncodeSDXL", clip, **given)
    assert (tokens, options) == (theirs, theirs_options)


def test_prompts_for_flux_are_encoded_as_by_comfyuis_own_node(samplers: Any) -> None:
    from semguide.adapters.hosts.comfyui.encoding import DecomposePromptFlux

    del samplers
    clip = _Recorder(real.comfy("comfy.text_encoders.flux").FluxTokenizer())
    DecomposePromptFlux().decompose(clip, "red, yellow", PROMPT, 3.5)
    tokens, options = clip.encoded[-1]
    given = {"clip_l": "red, yellow", "t5xxl": PROMPT, "guidance": 3.5}
    assert (tokens, options) == encoded_by_comfyui("nodes_flux", "CLIPTextEncodeFlux", clip, **given)


HALF = {
    "area": {"area": ("percentage", 1.0, 0.5, 0.0, 0.5)},
    "mask": {"mask": torch.cat([torch.zeros(64, 32), torch.ones(64, 32)], dim=1)},
    "range": {"start_percent": 0.0, "end_percent": 0.2},
}


def somewhere(pipe: Any, name: str) -> list[Any]:
    """Return the concepts, the first of them in a region."""
    first, *others = [encode(pipe, text) for text in CONCEPTS]
    return [[[embedding, {**options, **HALF[name]}] for embedding, options in first], *others]


@pytest.mark.parametrize("name", HALF)
def test_a_concept_somewhere_leaves_plain_guidance_as_it_is_and_steers(
    sd: Any, patcher: Any, samplers: Any, name: str
) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider

    drawn = []
    for rule in (SGTv1(subject_threshold=0.0, abstract_threshold=0.0, upper_bound=1.0), SGTv2(warmup_steps=0)):
        guider = SemanticGuider(patcher, rule)
        guider.set_conds(encode(sd, PROMPT), encode(sd, ""), somewhere(sd, name))
        drawn.append(sample(samplers, guider))
    assert torch.equal(drawn[0], sample(samplers, plain_of(sd, patcher, samplers))), "it evaluates and never steers"
    assert torch.isfinite(drawn[1]).all()
    assert not torch.equal(drawn[1], drawn[0])


@pytest.mark.parametrize("name", HALF)
def test_guider_and_patch_draw_the_same_with_a_concept_somewhere(
    sd: Any, patcher: Any, samplers: Any, name: str
) -> None:
    from semguide.adapters.hosts.comfyui.guider import SemanticGuider
    from semguide.adapters.hosts.comfyui.model_patch import ModelPatch

    rule = SGTv2(warmup_steps=0)
    guider = SemanticGuider(patcher, rule)
    guider.set_conds(encode(sd, PROMPT), encode(sd, ""), somewhere(sd, name))
    patched = plain_of(sd, ModelPatch(rule, somewhere(sd, name)).patched(patcher), samplers)
    torch.testing.assert_close(sample(samplers, patched), sample(samplers, guider), rtol=1e-3, atol=1e-3)


@pytest.fixture
def graph(sd: Any, samplers: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return the example for SD 1.5, in a ComfyUI whose only checkpoint is the tiny model."""
    del samplers
    (tmp_path / "custom_nodes").mkdir()
    (tmp_path / "main.py").touch()
    nodes = real.comfy("nodes")
    assert asyncio.run(nodes.load_custom_node(str(install_pack(tmp_path))))
    assert asyncio.run(nodes.load_custom_node(str(Path(real.FOLDER) / "comfy_extras" / "nodes_custom_sampler.py")))
    graph = json.loads((PACK / "api_workflows" / "semantic_guidance_sd15.json").read_text(encoding="utf-8"))
    graph["8"]["inputs"]["steps"] = STEPS
    graph["9"]["inputs"].update(width=64, height=64)
    folders = real.comfy("folder_paths")
    monkeypatch.setattr(folders, "get_filename_list", lambda _: [graph["1"]["inputs"]["ckpt_name"]])
    for name in ("output", "temp"):
        monkeypatch.setattr(folders, f"{name}_directory", str(tmp_path / name))
    parts = checkpoint(sd)
    monkeypatch.setattr(nodes.CheckpointLoaderSimple, "load_checkpoint", lambda _, ckpt_name: parts)
    return graph


def test_comfyui_accepts_the_example_and_runs_it(graph: Any, tmp_path: Path) -> None:
    execution = real.comfy("execution")
    accepted, error, outputs, errors = asyncio.run(execution.validate_prompt("id", graph, None))
    assert accepted, (error, errors)
    server = types.SimpleNamespace(client_id=None, last_node_id=None, send_sync=lambda *_: None)
    known = inspect.signature(execution.PromptExecutor).parameters  # older versions have no cache_args
    cache = {name: defaultdict(int) for name in ("cache_args",) if name in known}
    executor = execution.PromptExecutor(server, **cache)
    executor.execute(graph, "id", {}, outputs)
    assert executor.success, executor.status_messages
    images = [Image.open(path) for path in sorted((tmp_path / "output").glob("*.png"))]
    assert len(images) == 2, "one with the rule, one without"
    assert images[0].tobytes() != images[1].tobytes()
    (picture,) = (tmp_path / "temp").glob("*.png")
    assert min(Image.open(picture).size) > 200
