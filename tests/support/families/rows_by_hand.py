"""Each family's denoiser call and guidance, written out by hand."""

from __future__ import annotations

import inspect
from typing import Any

import torch
from torch import Tensor

from support.families.by_hand import ByHand
from support.tiny.calls import PROMPT
from support.tiny.videos import TEMPLATE


def _sd(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, "cpu", 1, False)
    return pipe.unet(x, t, encoder_hidden_states=embeds).sample


def _sdxl(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    embeds, _, pooled, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False)
    if negative:  # an empty negative prompt is zeros in SDXL
        embeds, pooled = torch.zeros_like(embeds), torch.zeros_like(pooled)
    ids = torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]], dtype=x.dtype)
    added = {"text_embeds": pooled, "time_ids": ids}
    return pipe.unet(x, t, encoder_hidden_states=embeds, added_cond_kwargs=added).sample


def _kolors(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _, pooled, _ = pipe.encode_prompt(text, "cpu", 1, False)
    ids = torch.tensor([[64.0, 64.0, 0.0, 0.0, 64.0, 64.0]], dtype=x.dtype)
    added = {"text_embeds": pooled, "time_ids": ids}
    return pipe.unet(x, t, encoder_hidden_states=embeds, added_cond_kwargs=added).sample


def _sd3(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _, pooled, _ = pipe.encode_prompt(
        text, text, text, do_classifier_free_guidance=False, max_sequence_length=48
    )
    return pipe.transformer(
        hidden_states=x, timestep=t[None], encoder_hidden_states=embeds, pooled_projections=pooled
    ).sample


def _flux(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, pooled, text_ids = pipe.encode_prompt(text, text, max_sequence_length=48)
    embedded = pipe.transformer.config.guidance_embeds
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        guidance=torch.tensor([4.0]) if embedded else None,
        pooled_projections=pooled,
        encoder_hidden_states=embeds,
        txt_ids=text_ids,
        img_ids=_places(x),
    ).sample


def _chroma(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, text_ids, mask, *_ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        encoder_hidden_states=embeds,
        txt_ids=text_ids,
        img_ids=_places(x),
        attention_mask=torch.cat([mask, torch.ones(1, 16).to(mask)], dim=1),
    ).sample


def _ovis_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _, text_ids, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        encoder_hidden_states=embeds,
        txt_ids=text_ids,
        img_ids=_places(x),
    ).sample


def _places(x: Tensor) -> Tensor:
    """Return the places of 4x4 tokens: (token, 3)."""
    rows, columns = torch.meshgrid(torch.arange(4), torch.arange(4), indexing="ij")
    return torch.stack([torch.zeros(4, 4), rows, columns], dim=-1).reshape(16, 3).to(x)


def _qwen_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask = pipe.encode_prompt(text, max_sequence_length=512)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        encoder_hidden_states_mask=mask,
        encoder_hidden_states=embeds,
        img_shapes=[[(1, 4, 4)]],
    ).sample


def _pixart(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask, _, _ = pipe.encode_prompt(text, False, max_sequence_length=48)
    added: dict[str, Any] = {"resolution": None, "aspect_ratio": None}
    if pipe.transformer.use_additional_conditions:
        added = {"resolution": torch.tensor([[16.0, 16.0]]).to(x), "aspect_ratio": torch.tensor([[1.0]]).to(x)}
    return pipe.transformer(
        x, encoder_hidden_states=embeds, encoder_attention_mask=mask, timestep=t[None], added_cond_kwargs=added
    ).sample


def _sana(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    instruction = inspect.signature(type(pipe).__call__).parameters["complex_human_instruction"].default
    if negative:  # the instruction comes before prompts only
        embeds, mask = pipe._get_gemma_prompt_embeds(text, "cpu", x.dtype, max_sequence_length=64)
    else:
        embeds, mask, _, _ = pipe.encode_prompt(
            text, False, max_sequence_length=64, complex_human_instruction=instruction
        )
    scaled = t[None] * pipe.transformer.config.timestep_scale
    return pipe.transformer(x, encoder_hidden_states=embeds, encoder_attention_mask=mask, timestep=scaled).sample


def _aura_flow(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _, _, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(x, encoder_hidden_states=embeds, timestep=t[None].to(x) / 1000).sample


def _hidream(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    t5, _, llama, _, pooled, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x,
        timesteps=t[None],
        encoder_hidden_states_t5=t5,
        encoder_hidden_states_llama3=llama,
        pooled_embeds=pooled,
    ).sample


def _lumina2(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    read = text if negative else f"{pipe.system_prompt} <Prompt Start> {text}"
    embeds, mask = pipe._get_gemma_prompt_embeds(read, max_sequence_length=64)
    return pipe.transformer(
        hidden_states=x, timestep=1 - t[None] / 1000, encoder_hidden_states=embeds, encoder_attention_mask=mask
    ).sample


def _cogview3(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    size, corner = torch.tensor([[16.0, 16.0]]).to(x), torch.zeros(1, 2).to(x)
    return pipe.transformer(
        hidden_states=x,
        encoder_hidden_states=torch.zeros_like(embeds) if negative else embeds,
        timestep=t[None],
        original_size=size,
        target_size=size,
        crop_coords=corner,
    ).sample


def _cogview4(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    size, corner = torch.tensor([[16.0, 16.0]]).to(x), torch.zeros(1, 2).to(x)
    return pipe.transformer(
        hidden_states=x,
        encoder_hidden_states=embeds,
        timestep=t[None],
        original_size=size,
        target_size=size,
        crop_coords=corner,
    ).sample


def _z_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=64)
    return pipe.transformer([x[0].unsqueeze(1)], (1000 - t[None]) / 1000, embeds).sample[0].transpose(0, 1)


def _hunyuan_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask, glyphs, glyph_mask = pipe.encode_prompt(text)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x),
        encoder_hidden_states=embeds,
        encoder_attention_mask=mask,
        encoder_hidden_states_2=glyphs.to(x),
        encoder_attention_mask_2=glyph_mask,
    ).sample


def _wan(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(hidden_states=x, timestep=t[None], encoder_hidden_states=embeds).sample


def _nucleus_image(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask = pipe.encode_prompt(text, max_sequence_length=1024, return_index=-1)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x) / 1000,
        encoder_hidden_states=embeds,
        encoder_hidden_states_mask=mask,
        img_shapes=[(1, 4, 4)],
    ).sample


def _kandinsky3(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    embeds, _, mask, _ = pipe.encode_prompt(PROMPT if negative else text, False, _cut_context=True)
    if negative:  # without a negative prompt: zeros of the prompt's length, all masked
        embeds, mask = torch.zeros_like(embeds), torch.zeros_like(mask)
    return pipe.unet(x, t, encoder_hidden_states=embeds, encoder_attention_mask=mask.bool(), return_dict=False)[0]


def _cogvideox(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    places = pipe._prepare_rotary_positional_embeddings(16, 16, 3, "cpu")
    return pipe.transformer(
        hidden_states=x, encoder_hidden_states=embeds, timestep=t[None], image_rotary_emb=places
    ).sample


def _mochi(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask, _, _ = pipe.encode_prompt(text, do_classifier_free_guidance=False, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x, encoder_hidden_states=embeds, timestep=t[None].to(x), encoder_attention_mask=mask
    ).sample


def _allegro(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, mask, _, _ = pipe.encode_prompt(text, False, clean_caption=False, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x,
        encoder_hidden_states=embeds,
        encoder_attention_mask=mask,
        timestep=t[None],
        image_rotary_emb=pipe._prepare_rotary_positional_embeddings(1, 16, 16, 2, "cpu"),
    ).sample


def _hunyuan_video(pipe: Any, x: Tensor, t: Tensor, text: str, negative: bool) -> Tensor:
    del negative
    embeds, pooled, mask = pipe.encode_prompt(text, prompt_template=TEMPLATE, max_sequence_length=48)
    return pipe.transformer(
        hidden_states=x,
        timestep=t[None].to(x),
        encoder_hidden_states=embeds,
        encoder_attention_mask=mask.to(x),
        pooled_projections=pooled,
        guidance=torch.tensor([4000.0]).to(x),
    ).sample


_EXACT: dict[str, Any] = {"tolerance": 1e-9}

BY_HAND: dict[str, ByHand] = {
    "sd": ByHand(_sd, (1, 4, 8, 8), eps_scale="eps", **_EXACT),
    "sd-v": ByHand(_sd, (1, 4, 8, 8), eps_scale="v"),
    "sdxl": ByHand(_sdxl, (1, 4, 8, 8), eps_scale="eps"),
    "sd3": ByHand(_sd3, (1, 16, 4, 4)),
    "flux": ByHand(_flux, (1, 16, 16)),
    "flux-embedded": ByHand(_flux, (1, 16, 16), w=1.0),
    "qwen-image": ByHand(_qwen_image, (1, 16, 16), normalized=True),
    "pixart-alpha": ByHand(_pixart, (1, 4, 8, 8), channels=4, eps_scale="eps", **_EXACT),
    "pixart-sigma": ByHand(_pixart, (1, 4, 8, 8), channels=4, eps_scale="eps", **_EXACT),
    "sana": ByHand(_sana, (1, 4, 8, 8), dtype=torch.float32),
    "aura-flow": ByHand(_aura_flow, (1, 4, 8, 8)),
    "hidream": ByHand(_hidream, (1, 4, 8, 8), sign=-1.0),
    "lumina2": ByHand(_lumina2, (1, 4, 4, 4), sign=-1.0, normalized=True),
    "cogview4": ByHand(_cogview4, (1, 4, 8, 8)),
    "z-image": ByHand(_z_image, (1, 4, 8, 8), sign=-1.0, shift=1.0, dtype=torch.float32),
    "hunyuan-image": ByHand(_hunyuan_image, (1, 4, 4, 4)),
    "kolors": ByHand(_kolors, (1, 4, 8, 8), eps_scale="eps"),
    "cogview3": ByHand(_cogview3, (1, 4, 8, 8), eps_scale="v", dtype=torch.float32),
    "chroma": ByHand(_chroma, (1, 16, 16)),
    "ovis-image": ByHand(_ovis_image, (1, 16, 16)),
    "nucleus-image": ByHand(_nucleus_image, (1, 16, 16), sign=-1.0, normalized=True),
    "kandinsky3": ByHand(_kandinsky3, (1, 4, 8, 8), shift=1.0, eps_scale="eps", **_EXACT),
    "cogvideox": ByHand(_cogvideox, (1, 3, 4, 2, 2), eps_scale="v", dtype=torch.float32, channel_dim=-3),
    "mochi": ByHand(_mochi, (1, 12, 2, 2, 2), eps_scale="inverted flow", dtype=torch.float32),
    "allegro": ByHand(_allegro, (1, 4, 2, 2, 2), eps_scale="eps", **_EXACT),
    "skyreels-v2": ByHand(_wan, (1, 4, 2, 2, 2)),
    "hunyuan-video": ByHand(_hunyuan_video, (1, 4, 2, 2, 2)),
    "hunyuan-video-embedded": ByHand(_hunyuan_video, (1, 4, 2, 2, 2), w=1.0),
    "wan": ByHand(_wan, (1, 4, 2, 2, 2)),
}
