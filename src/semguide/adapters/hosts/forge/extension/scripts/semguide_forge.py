"""Semantic Guidance in Forge: copy the folder `extension` into Forge's `extensions` under the name semguide."""
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

import gradio as gr
from backend.sampling.condition import compile_conditions
from backend.sampling.sampling_function import calc_cond_uncond_batch
from modules import scripts
from modules.prompt_parser import SdConditioning
from modules.sd_samplers_common import setup_img2img_steps
from modules.ui_components import InputAccordion

from semguide.adapters.hosts.forge import ForgeSampling
from semguide.adapters.hosts.prompt import concept_texts
from semguide.adapters.hosts.rules import build_rule, hosted
from semguide.concepts.budget import MAX_CONCEPTS


class SemanticGuidanceForForge(scripts.Script):
    """An accordion in the page, and the rule in every sampling while it is on."""

    def title(self) -> str:
        """Return the name in the page."""
        return "Semantic Guidance"

    def show(self, is_img2img: bool) -> Any:
        """Show it in both tabs."""
        del is_img2img
        return scripts.AlwaysVisible

    def ui(self, is_img2img: bool) -> tuple[Any, ...]:
        """Return the inputs, in the order of `process_before_every_sampling`."""
        del is_img2img
        with InputAccordion(False, label=self.title()) as enabled:
            method = gr.Dropdown(label="Method", choices=hosted(), value="sgt-balanced")
            strength = gr.Slider(label="Strength", minimum=0.0, maximum=10.0, step=0.05, value=1.0)
            concepts = gr.Textbox(label="Concepts, one a line; empty: found in the prompt", lines=2, value="")
            settings = gr.Textbox(label='More parameters as JSON, such as {"sharpness": 0.5}', value="")
            most = gr.Slider(
                label="Most concepts found in the prompt", minimum=1, maximum=64, step=1, value=MAX_CONCEPTS
            )
        return enabled, method, strength, concepts, settings, most

    def process_before_every_sampling(self, p: Any, *inputs: Any, **_: Any) -> None:
        """Put the rule into the UNet of one sampling; where that fails, say so: Forge goes on to draw the picture."""
        enabled, *chosen = inputs
        if not enabled:
            return
        try:
            self._steer(p, *chosen)
        except Exception as error:
            p.comment(f"Semantic Guidance did not run, and this is plain guidance: {error}")
            p.extra_generation_params["Semantic Guidance"] = "did not run"
            raise

    def _steer(self, p: Any, method: str, strength: float, concepts: str, settings: str, most: int) -> None:
        second = _is_second_pass(p)
        rule = build_rule(method, p.hr_cfg if second else p.cfg_scale, strength, settings)
        prompts = p.hr_prompts if second else p.prompts
        if len(set(prompts)) > 1:
            raise ValueError(f"prompts of a batch must be the same for Semantic Guidance, got {len(set(prompts))}")
        texts = concept_texts(prompts[0], concepts, int(most))
        if rule.is_noop or not texts:
            return
        found = {text: _encoded(p, text) for text in texts}
        run = ForgeSampling(rule, found, _schedule(p).tolist(), calc_cond_uncond_batch)
        p.sd_model.forge_objects.unet = run.patched(p.sd_model.forge_objects.unet)
        p.semguide_runs = [*getattr(p, "semguide_runs", []), run]
        p.extra_generation_params["Semantic Guidance"] = f"{method}, strength {strength}: {'; '.join(texts)}"

    def post_sample(self, p: Any, *_: Any) -> None:
        """Say under the images of which sampling the rule corrected nothing."""
        for run in getattr(p, "semguide_runs", []):
            if (warning := run.idle()) is not None:
                p.comment(f"Semantic Guidance: {warning}")
        p.semguide_runs = []


def _is_second_pass(p: Any) -> bool:
    return bool(getattr(p, "is_hr_pass", False))


def _encoded(p: Any, text: str) -> Any:
    """Return what Forge makes of a text, for one image; it is repeated for a batch."""
    size, distilled = (p.width, p.height), p.distilled_cfg_scale
    if _is_second_pass(p):
        size, distilled = (p.hr_upscale_to_x, p.hr_upscale_to_y), p.hr_distilled_cfg
    prompt = SdConditioning([text], width=size[0], height=size[1], distilled_cfg_scale=distilled)
    return compile_conditions(p.sd_model.get_learned_conditioning(prompt))[0]


def _schedule(p: Any) -> Any:
    """Return the sigmas of the coming sampling."""
    if not hasattr(p.sampler, "get_sigmas"):
        raise ValueError(f"sampler {p.sampler_name} has no sigmas, which Semantic Guidance needs; choose another one")
    second = _is_second_pass(p)
    if not second and not hasattr(p, "init_images"):
        return p.sampler.get_sigmas(p, p.steps)
    total, taken = setup_img2img_steps(p, (p.hr_second_pass_steps or p.steps) if second else None)
    return p.sampler.get_sigmas(p, total)[total - taken - 1 :]
