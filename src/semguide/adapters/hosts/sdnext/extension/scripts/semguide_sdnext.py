"""Semantic Guidance in SD.Next: copy the folder `extension` into SD.Next's `extensions` under the name semguide.

SD.Next turns a pipeline into a modular one for each job and then chooses its guider; this comes after that choice.
"""
# pyright: reportMissingImports=false

from __future__ import annotations

from typing import Any

import gradio as gr
from modules import modular, modular_guiders, scripts_manager, shared

from semguide.adapters.guiders.modular import with_semantic_guidance
from semguide.adapters.hosts.rules import build_rule, hosted
from semguide.concepts.budget import MAX_CONCEPTS

RULE, MOST, STOP = "semguide_rule", "semguide_max_concepts", "semguide_stop"


def _after(set_guider: Any) -> Any:
    """Return SD.Next's choice of the guider with ours after it."""

    def chosen(p: Any) -> None:
        set_guider(p)
        rule = getattr(p, RULE, None)
        if rule is not None:
            shared.sd_model = with_semantic_guidance(shared.sd_model, rule, max_concepts=getattr(p, MOST))

    chosen.semguide = True  # type: ignore[attr-defined]
    return chosen


if not hasattr(modular_guiders.set_guider, "semguide"):  # the page can be reloaded
    modular_guiders.set_guider = _after(modular_guiders.set_guider)


class SemanticGuidanceForSDNext(scripts_manager.Script):
    """An accordion in the page, and the rule in every job while it is on."""

    def title(self) -> str:
        """Return the name in the page."""
        return "Semantic Guidance"

    def show(self, is_img2img: bool) -> Any:
        """Show it in all tabs."""
        del is_img2img
        return scripts_manager.AlwaysVisible

    def ui(self, is_img2img: bool) -> list[Any]:
        """Return the inputs, in the order of `process`."""
        del is_img2img
        with gr.Accordion("Semantic Guidance", open=False):
            enabled = gr.Checkbox(label="Enabled", value=False)
            method = gr.Dropdown(label="Method", choices=hosted(), value="sgt-balanced")
            strength = gr.Slider(label="Strength", minimum=0.0, maximum=10.0, step=0.05, value=1.0)
            settings = gr.Textbox(label='More parameters as JSON, such as {"sharpness": 0.5}', value="")
            most = gr.Slider(
                label="Most concepts found in the prompt", minimum=1, maximum=64, step=1, value=MAX_CONCEPTS
            )
        return [enabled, method, strength, settings, most]

    def process(self, p: Any, *inputs: Any) -> None:
        """Choose the rule of a job, or stop the job: SD.Next logs what a script raises and draws on without it."""
        enabled, *chosen = inputs
        setattr(p, STOP, bool(enabled))
        if enabled:
            self._choose(p, *chosen)
            setattr(p, STOP, False)

    def before_process_batch(self, p: Any, *_: Any, **__: Any) -> None:
        """Make no picture in a job whose rule could not be chosen: it would be one of plain guidance."""
        if getattr(p, STOP, False):
            p.prompts = []

    def _choose(self, p: Any, method: str, strength: float, settings: str, most: int) -> None:
        if not shared.opts.model_modular_enable:
            raise ValueError("modular pipelines must be enabled in SD.Next's settings for Semantic Guidance, got off")
        if not modular.is_compatible(shared.sd_model) and not modular.is_guider(shared.sd_model):
            kind = type(shared.sd_model).__name__
            raise ValueError(f"the model must be one that SD.Next runs as a modular pipeline, got a {kind}")
        setattr(p, RULE, build_rule(method, p.cfg_scale, strength, settings))
        setattr(p, MOST, int(most))
        p.extra_generation_params["Semantic Guidance"] = f"{method}, strength {strength}"
