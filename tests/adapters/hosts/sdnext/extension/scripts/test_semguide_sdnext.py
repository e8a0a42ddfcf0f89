"""The SD.Next script, with a stand-in for what it uses of SD.Next, written from its behaviour."""

from __future__ import annotations

import contextlib
import importlib.util
import sys
import types
from typing import Any

import pytest

from semguide import SGT
from semguide.adapters.hosts.sdnext import EXTENSION

modular = pytest.importorskip("semguide.adapters.guiders.modular")


@pytest.fixture
def host(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return what the script sees of SD.Next; `chosen` has the jobs that its own guider was chosen for."""
    host = types.SimpleNamespace(chosen=[])
    shared = types.SimpleNamespace(opts=types.SimpleNamespace(model_modular_enable=True), sd_model=None)
    modules: dict[str, dict[str, Any]] = {
        "modules.modular": {
            "is_compatible": lambda model: type(model).__name__ == "StableDiffusionXLPipeline",
            "is_guider": lambda model: getattr(model, "guider", None) is not None,
        },
        "modules.modular_guiders": {"set_guider": host.chosen.append},
        "modules.scripts_manager": {"Script": object, "AlwaysVisible": "always"},
        "modules.shared": vars(shared),
        "gradio": {},
        "modules": {},
    }
    for name, members in modules.items():
        module = types.ModuleType(name)
        vars(module).update(members, __path__=[])
        monkeypatch.setitem(sys.modules, name, module)
    for name in ("modular", "modular_guiders", "scripts_manager", "shared"):
        setattr(sys.modules["modules"], name, sys.modules[f"modules.{name}"])
    host.shared = sys.modules["modules.shared"]
    host.guiders = sys.modules["modules.modular_guiders"]
    return host


def script_of(host: Any) -> Any:
    """Load the script as SD.Next does."""
    del host
    spec = importlib.util.spec_from_file_location("semguide_sdnext", EXTENSION / "scripts" / "semguide_sdnext.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module.SemanticGuidanceForSDNext()


def job() -> Any:
    return types.SimpleNamespace(cfg_scale=6.0, extra_generation_params={})


def pipeline() -> Any:
    """Return a modular pipeline as SD.Next makes it of an ordinary one, without weights."""
    from diffusers import ClassifierFreeGuidance, StableDiffusionXLAutoBlocks  # type: ignore[attr-defined]

    pipe: Any = StableDiffusionXLAutoBlocks().init_pipeline()
    pipe.update_components(guider=ClassifierFreeGuidance(guidance_scale=5.0))
    pipe.original_pipe = "the ordinary one"
    return pipe


def test_the_guider_of_a_job_is_the_rule_at_its_scale_after_sd_nexts_own_choice(host: Any) -> None:
    script, p = script_of(host), job()
    host.shared.sd_model = pipeline()
    script.process(p, True, "sgt", 2.0, '{"stop": 0.4}', 3)
    host.guiders.set_guider(p)
    assert host.chosen == [p]
    assert isinstance(host.shared.sd_model.guider, modular.SemanticGuidance)
    assert host.shared.sd_model.guider.rule == SGT(6.0, strength=2.0 * SGT().strength, stop=0.4)
    assert host.shared.sd_model.original_pipe == "the ordinary one", "SD.Next finds its way back"
    assert "concepts" in [entry.name for entry in host.shared.sd_model.blocks.inputs]
    assert host.shared.sd_model.blocks.sub_blocks[modular.BLOCK].max_concepts == 3
    assert p.extra_generation_params["Semantic Guidance"] == "sgt, strength 2.0"


def test_switched_off_the_pipeline_is_left_alone(host: Any) -> None:
    script, p = script_of(host), job()
    host.shared.sd_model = before = object()
    script.process(p, False, "sgt", 1.0, "", 8)
    host.guiders.set_guider(p)
    assert host.chosen == [p]
    assert host.shared.sd_model is before


def test_loading_the_script_again_does_not_stack(host: Any) -> None:
    script_of(host)
    once = host.guiders.set_guider
    script_of(host)
    assert host.guiders.set_guider is once


def drawn(script: Any, p: Any, *inputs: Any) -> list[str]:
    """Return the prompts that SD.Next draws: it logs what a script raises and goes on."""
    p.prompts = ["a prompt"]
    with contextlib.suppress(Exception):
        script.process(p, *inputs)
    script.before_process_batch(p, batch_number=0, prompts=p.prompts)
    return p.prompts


def test_without_modular_pipelines_it_is_refused_and_nothing_is_drawn(host: Any) -> None:
    host.shared.opts.model_modular_enable = False
    script, p = script_of(host), job()
    with pytest.raises(ValueError, match="modular pipelines must be enabled"):
        script.process(p, True, "sgt", 1.0, "", 8)
    assert drawn(script, p, True, "sgt", 1.0, "", 8) == []
    assert drawn(script, p, False, "sgt", 1.0, "", 8) == ["a prompt"]


def test_a_model_that_sd_next_does_not_run_as_a_modular_pipeline_is_refused_and_nothing_is_drawn(host: Any) -> None:
    host.shared.sd_model = types.SimpleNamespace()
    script, p = script_of(host), job()
    with pytest.raises(ValueError, match="runs as a modular pipeline, got a SimpleNamespace"):
        script.process(p, True, "sgt", 1.0, "", 8)
    assert drawn(script, p, True, "sgt", 1.0, "", 8) == []


@pytest.mark.parametrize("inputs", [("nothing", 1.0, "", 8), ("sgt", 1.0, "{", 8), ("sgt", 1.0, '{"stop": 7}', 8)])
def test_a_job_whose_rule_cannot_be_built_draws_nothing(host: Any, inputs: Any) -> None:
    host.shared.sd_model = types.SimpleNamespace(guider=object())
    script = script_of(host)
    assert drawn(script, job(), True, *inputs) == []
    assert drawn(script, job(), True, "sgt", 1.0, "", 8) == ["a prompt"]
