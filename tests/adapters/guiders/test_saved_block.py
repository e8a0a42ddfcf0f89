"""The concept block as a modular block of the Hub: a folder that is loaded with trust_remote_code."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import StableDiffusion3AutoBlocks
from diffusers.modular_pipelines import ModularPipelineBlocks

from semguide import BalancedSGT, SemanticConceptsStep, SemanticGuidance, with_semantic_guidance
from semguide.concepts import LexiconDecomposer
from support.guiders.run import call, made
from support.refusals import refuses

PROMPT, NEGATIVE = "a red book and a yellow vase", {"negative_prompt": ""}
RULE = BalancedSGT(guidance_scale=4.0, stop=1.0)


@pytest.fixture(autouse=True)
def modules(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have diffusers copy foreign code to a folder of the test."""
    monkeypatch.setattr("diffusers.utils.dynamic_modules_utils.HF_MODULES_CACHE", str(tmp_path / "modules"))
    monkeypatch.syspath_prepend(str(tmp_path / "modules"))


def load(folder: Path, **options: Any) -> Any:
    return ModularPipelineBlocks.from_pretrained(str(folder), trust_remote_code=True, **options)


def test_a_block_is_saved_as_code_and_configuration(tmp_path: Path) -> None:
    SemanticConceptsStep(max_concepts=3).save_pretrained(tmp_path / "block")
    assert sorted(path.name for path in (tmp_path / "block").iterdir()) == ["block.py", "modular_config.json"]
    config = json.loads((tmp_path / "block" / "modular_config.json").read_text())
    assert config["auto_map"] == {"ModularPipelineBlocks": "block.SemanticConcepts"}
    assert list(config["requirements"]) == ["semguide"]


def test_a_loaded_block_draws_what_the_block_draws_and_keeps_its_settings(tmp_path: Path) -> None:
    SemanticConceptsStep(max_concepts=3).save_pretrained(tmp_path / "block")
    block = load(tmp_path / "block")
    assert isinstance(block, SemanticConceptsStep)
    assert (block.decomposer, block.max_concepts) == ("lexicon", 3)
    assert load(tmp_path / "block", max_concepts=5).max_concepts == 5
    blocks = StableDiffusion3AutoBlocks()
    blocks.sub_blocks.insert("semantic_concepts", block, 0)
    pipe = blocks.init_pipeline()
    pipe.register_components(**{name: part for name, part in made("sd3").components.items() if name != "guider"})
    pipe.update_components(guider=SemanticGuidance(RULE))
    wanted = call("sd3", with_semantic_guidance(made("sd3"), RULE), PROMPT, **NEGATIVE)
    assert torch.equal(call("sd3", pipe, PROMPT, **NEGATIVE), wanted)


def test_a_loaded_block_is_saved_again(tmp_path: Path) -> None:
    SemanticConceptsStep().save_pretrained(tmp_path / "first")
    load(tmp_path / "first").save_pretrained(tmp_path / "second")
    for name in ("block.py", "modular_config.json"):
        assert (tmp_path / "second" / name).read_text() == (tmp_path / "first" / name).read_text().replace(
            '"_class_name": "SemanticConceptsStep"', '"_class_name": "SemanticConcepts"'
        )


def test_without_trust_foreign_code_is_not_run(tmp_path: Path) -> None:
    SemanticConceptsStep().save_pretrained(tmp_path / "block")
    with pytest.raises(ValueError, match="trust_remote_code"):
        ModularPipelineBlocks.from_pretrained(str(tmp_path / "block"), trust_remote_code=False)


def test_a_block_whose_decomposer_is_an_object_is_not_saved(tmp_path: Path) -> None:
    with refuses("decomposer", "must be a name, such as 'lexicon', to be saved"):
        SemanticConceptsStep(LexiconDecomposer()).save_pretrained(tmp_path / "block")
    assert not (tmp_path / "block").exists()
