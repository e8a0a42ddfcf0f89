"""What people add to a real pipeline: IP-Adapter masks, gradient modes, a loaded textual inversion with a LoRA."""

from __future__ import annotations

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file

from semguide import CFG, steer
from support.families.run import ROWS, run
from support.rule_cases import ACTIVE
from support.tiny.calls import PROMPT, call, fresh, noise

RULE = ACTIVE[0]


def test_ip_adapter_masks_go_with_every_concept() -> None:
    family = ROWS["sd-ip-adapter"]
    pipe = family.make()
    mask = torch.zeros(1, 1, 32, 32)
    mask[..., :16] = 1
    masked: dict[str, Any] = {"cross_attention_kwargs": {"ip_adapter_masks": [mask]}}
    assert torch.equal(run(steer(pipe, CFG(4.0)), family, **masked), run(pipe, family, **masked))
    steered = run(steer(pipe, RULE), family, **masked)
    assert not torch.allclose(steered, run(steer(pipe, RULE), family), atol=1e-3)
    both = run(steer(pipe, RULE), family, ["a cat and a dog", PROMPT], generator=[noise(1), noise(0)], **masked)
    assert torch.equal(both[1], steered[0])
    whole: dict[str, Any] = {"cross_attention_kwargs": {"ip_adapter_masks": [torch.ones(1, 1, 32, 32)]}}
    torch.testing.assert_close(run(steer(pipe, RULE), family, **whole), run(steer(pipe, RULE), family))


@pytest.mark.parametrize("mode", [torch.enable_grad, torch.no_grad, torch.inference_mode])
def test_gradient_mode_of_the_caller_changes_nothing(loaded_sd: Any, mode: type[AbstractContextManager[Any]]) -> None:
    pipe = fresh(loaded_sd)
    expected = call(steer(pipe, RULE))
    with mode():
        found = call(steer(pipe, RULE))
    assert torch.equal(found, expected)
    assert not found.requires_grad


def test_loaded_textual_inversion_and_lora_are_steered_and_unloaded(loaded_sd: Any, tmp_path: Path) -> None:
    from peft import LoraConfig
    from peft.utils import get_peft_model_state_dict

    pipe, donor = fresh(loaded_sd, deep=True), fresh(loaded_sd, deep=True)
    expected = call(steer(pipe, RULE))
    donor.unet.add_adapter(LoraConfig(r=2, init_lora_weights=False, target_modules=["to_q", "to_v"]))
    donor.save_lora_weights(tmp_path, get_peft_model_state_dict(donor.unet))
    width = pipe.text_encoder.get_input_embeddings().embedding_dim
    save_file({"<toy>": torch.randn(2, width, generator=noise(3))}, tmp_path / "toy.safetensors")
    pipe.load_lora_weights(tmp_path, adapter_name="style")
    pipe.load_textual_inversion(str(tmp_path / "toy.safetensors"), token="<toy>")
    prompt = "a <toy> book and a yellow vase"
    result = steer(pipe, RULE)(prompt, num_inference_steps=3, generator=noise(), output_type="latent")
    assert result.trace.concepts == (("a <toy> book", "a yellow vase"),)
    assert torch.equal(call(steer(pipe, CFG()), prompt), call(pipe, prompt, guidance_scale=7.5))
    assert not torch.allclose(call(steer(pipe, RULE)), expected, atol=1e-3)
    pipe.unload_textual_inversion()
    pipe.unload_lora_weights()
    torch.testing.assert_close(call(steer(pipe, RULE)), expected)
