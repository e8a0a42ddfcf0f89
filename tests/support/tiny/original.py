"""Weights of tiny pipelines as single files of their families have them: names and shapes of the original code."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

Weights = dict[str, Tensor]
Names = tuple[tuple[str, str], ...]
_UNET = "model.diffusion_model."
_VAE = "first_stage_model."

_RESNET: Names = (
    (r"\bnorm1\.", "in_layers.0."),
    (r"\bconv1\.", "in_layers.2."),
    (r"\btime_emb_proj\.", "emb_layers.1."),
    (r"\bnorm2\.", "out_layers.0."),
    (r"\bconv2\.", "out_layers.3."),
    (r"\bconv_shortcut\.", "skip_connection."),
)
_UNET_ENDS: Names = (
    (r"^time_embedding\.linear_1\.", "time_embed.0."),
    (r"^time_embedding\.linear_2\.", "time_embed.2."),
    (r"^add_embedding\.linear_1\.", "label_emb.0.0."),
    (r"^add_embedding\.linear_2\.", "label_emb.0.2."),
    (r"^conv_in\.", "input_blocks.0.0."),
    (r"^conv_norm_out\.", "out.0."),
    (r"^conv_out\.", "out.2."),
    (r"^mid_block\.resnets\.0\.", "middle_block.0."),
    (r"^mid_block\.attentions\.0\.", "middle_block.1."),
    (r"^mid_block\.resnets\.1\.", "middle_block.2."),
)
_VAE_PARTS: Names = (
    (r"mid_block\.resnets\.0\.", "mid.block_1."),
    (r"mid_block\.resnets\.1\.", "mid.block_2."),
    (r"mid_block\.attentions\.0\.", "mid.attn_1."),
    (r"group_norm\.", "norm."),
    (r"\bto_([qkv])\.", r"\1."),
    (r"\bto_out\.0\.", "proj_out."),
    (r"down_blocks\.(\d+)\.resnets\.", r"down.\1.block."),
    (r"down_blocks\.(\d+)\.downsamplers\.0\.", r"down.\1.downsample."),
    (r"conv_norm_out\.", "norm_out."),
    (r"conv_shortcut\.", "nin_shortcut."),
)
_OPEN_CLIP: Names = (
    (r"^embeddings\.position_embedding\.weight$", "positional_embedding"),
    (r"^embeddings\.token_embedding\.", "token_embedding."),
    (r"^final_layer_norm\.", "ln_final."),
    (r"^encoder\.layers\.", "transformer.resblocks."),
    (r"\blayer_norm(\d)\.", r"ln_\1."),
    (r"\bmlp\.fc1\.", "mlp.c_fc."),
    (r"\bmlp\.fc2\.", "mlp.c_proj."),
    (r"\bself_attn\.", "attn."),
)
_JOINT = "transformer_blocks."
_SD3: Names = (
    (r"^pos_embed\.pos_embed$", "pos_embed"),
    (r"^pos_embed\.proj\.", "x_embedder.proj."),
    (r"^time_text_embed\.timestep_embedder\.linear_1\.", "t_embedder.mlp.0."),
    (r"^time_text_embed\.timestep_embedder\.linear_2\.", "t_embedder.mlp.2."),
    (r"^time_text_embed\.text_embedder\.linear_1\.", "y_embedder.mlp.0."),
    (r"^time_text_embed\.text_embedder\.linear_2\.", "y_embedder.mlp.2."),
    (r"^proj_out\.", "final_layer.linear."),
    (r"^norm_out\.linear\.", "final_layer.adaLN_modulation.1."),
    (r"^transformer_blocks\.(\d+)\.norm1\.linear\.", r"joint_blocks.\1.x_block.adaLN_modulation.1."),
    (r"^transformer_blocks\.(\d+)\.norm1_context\.linear\.", r"joint_blocks.\1.context_block.adaLN_modulation.1."),
    (r"^transformer_blocks\.(\d+)\.attn\.to_out\.0\.", r"joint_blocks.\1.x_block.attn.proj."),
    (r"^transformer_blocks\.(\d+)\.attn\.to_add_out\.", r"joint_blocks.\1.context_block.attn.proj."),
    (r"^transformer_blocks\.(\d+)\.ff\.net\.0\.proj\.", r"joint_blocks.\1.x_block.mlp.fc1."),
    (r"^transformer_blocks\.(\d+)\.ff\.net\.2\.", r"joint_blocks.\1.x_block.mlp.fc2."),
    (r"^transformer_blocks\.(\d+)\.ff_context\.net\.0\.proj\.", r"joint_blocks.\1.context_block.mlp.fc1."),
    (r"^transformer_blocks\.(\d+)\.ff_context\.net\.2\.", r"joint_blocks.\1.context_block.mlp.fc2."),
)
_FLUX: Names = (
    (r"^time_text_embed\.timestep_embedder\.linear_1\.", "time_in.in_layer."),
    (r"^time_text_embed\.timestep_embedder\.linear_2\.", "time_in.out_layer."),
    (r"^time_text_embed\.text_embedder\.linear_1\.", "vector_in.in_layer."),
    (r"^time_text_embed\.text_embedder\.linear_2\.", "vector_in.out_layer."),
    (r"^time_text_embed\.guidance_embedder\.linear_1\.", "guidance_in.in_layer."),
    (r"^time_text_embed\.guidance_embedder\.linear_2\.", "guidance_in.out_layer."),
    (r"^context_embedder\.", "txt_in."),
    (r"^x_embedder\.", "img_in."),
    (r"^proj_out\.", "final_layer.linear."),
    (r"^norm_out\.linear\.", "final_layer.adaLN_modulation.1."),
    (r"^single_transformer_blocks\.(\d+)\.norm\.linear\.", r"single_blocks.\1.modulation.lin."),
    (r"^single_transformer_blocks\.(\d+)\.attn\.norm_q\.weight", r"single_blocks.\1.norm.query_norm.scale"),
    (r"^single_transformer_blocks\.(\d+)\.attn\.norm_k\.weight", r"single_blocks.\1.norm.key_norm.scale"),
    (r"^single_transformer_blocks\.(\d+)\.proj_out\.", r"single_blocks.\1.linear2."),
    (r"^transformer_blocks\.(\d+)\.norm1\.linear\.", r"double_blocks.\1.img_mod.lin."),
    (r"^transformer_blocks\.(\d+)\.norm1_context\.linear\.", r"double_blocks.\1.txt_mod.lin."),
    (r"^transformer_blocks\.(\d+)\.attn\.norm_q\.weight", r"double_blocks.\1.img_attn.norm.query_norm.scale"),
    (r"^transformer_blocks\.(\d+)\.attn\.norm_k\.weight", r"double_blocks.\1.img_attn.norm.key_norm.scale"),
    (r"^transformer_blocks\.(\d+)\.attn\.norm_added_q\.weight", r"double_blocks.\1.txt_attn.norm.query_norm.scale"),
    (r"^transformer_blocks\.(\d+)\.attn\.norm_added_k\.weight", r"double_blocks.\1.txt_attn.norm.key_norm.scale"),
    (r"^transformer_blocks\.(\d+)\.attn\.to_out\.0\.", r"double_blocks.\1.img_attn.proj."),
    (r"^transformer_blocks\.(\d+)\.attn\.to_add_out\.", r"double_blocks.\1.txt_attn.proj."),
    (r"^transformer_blocks\.(\d+)\.ff\.net\.0\.proj\.", r"double_blocks.\1.img_mlp.0."),
    (r"^transformer_blocks\.(\d+)\.ff\.net\.2\.", r"double_blocks.\1.img_mlp.2."),
    (r"^transformer_blocks\.(\d+)\.ff_context\.net\.0\.proj\.", r"double_blocks.\1.txt_mlp.0."),
    (r"^transformer_blocks\.(\d+)\.ff_context\.net\.2\.", r"double_blocks.\1.txt_mlp.2."),
)


def original_sd(pipe: Any) -> Weights:
    """Return the single file of a Stable Diffusion 1: U-Net, autoencoder and CLIP."""
    text = {f"cond_stage_model.transformer.text_model.{name}": value for name, value in _clip(pipe.text_encoder)}
    return {**_unet(pipe.unet), **_vae(pipe.vae), **text}


def original_sd2(pipe: Any) -> Weights:
    """Return the single file of a Stable Diffusion 2, whose text encoder is an OpenCLIP."""
    return {**_unet(pipe.unet), **_vae(pipe.vae), **_open_clip(pipe.text_encoder, "cond_stage_model.model.")}


def original_sdxl(pipe: Any) -> Weights:
    """Return the single file of an SDXL, which has a CLIP and an OpenCLIP."""
    prefix = "conditioner.embedders.0.transformer.text_model."
    first = {f"{prefix}{name}": value for name, value in _clip(pipe.text_encoder)}
    second = _open_clip(pipe.text_encoder_2, "conditioner.embedders.1.model.")
    return {**_unet(pipe.unet), **_vae(pipe.vae), **first, **second}


def original_sd3(pipe: Any) -> Weights:
    """Return the single file of a Stable Diffusion 3 without text encoders."""
    weights = dict(pipe.transformer.state_dict())
    last = pipe.transformer.config.num_layers - 1
    for i in range(last + 1):
        for branch, kinds in (("x_block", "to_q to_k to_v"), ("context_block", "add_q_proj add_k_proj add_v_proj")):
            _join(weights, f"{_JOINT}{i}.attn.", kinds.split(), f"joint_blocks.{i}.{branch}.attn.qkv.")
    swapped = ("norm_out.linear.", f"{_JOINT}{last}.norm1_context.linear.")
    return _transformer(weights, _SD3, swapped) | _vae(pipe.vae)


def original_flux(pipe: Any) -> Weights:
    """Return the single file of a Flux without text encoders."""
    weights = dict(pipe.transformer.state_dict())
    for i in range(pipe.transformer.config.num_layers):
        for branch, kinds in (("img", "to_q to_k to_v"), ("txt", "add_q_proj add_k_proj add_v_proj")):
            _join(weights, f"{_JOINT}{i}.attn.", kinds.split(), f"double_blocks.{i}.{branch}_attn.qkv.")
    for i in range(pipe.transformer.config.num_single_layers):
        kinds = ["attn.to_q", "attn.to_k", "attn.to_v", "proj_mlp"]
        _join(weights, f"single_transformer_blocks.{i}.", kinds, f"single_blocks.{i}.linear1.")
    return _transformer(weights, _FLUX, ("norm_out.linear.",)) | _vae(pipe.vae)


def _unet(unet: Any) -> Weights:
    """Number the blocks as the original does: each resnet with its attention, each change of size, in one row."""
    layers, levels = unet.config.layers_per_block, len(unet.config.block_out_channels)
    places: dict[str, str] = {}
    for i in range(levels):
        for j in range(layers):
            at = 1 + i * (layers + 1) + j
            places[f"down_blocks.{i}.resnets.{j}."] = f"input_blocks.{at}.0."
            places[f"down_blocks.{i}.attentions.{j}."] = f"input_blocks.{at}.1."
        places[f"down_blocks.{i}.downsamplers.0.conv."] = f"input_blocks.{(i + 1) * (layers + 1)}.0.op."
        attends = hasattr(unet.up_blocks[i], "attentions")
        for j in range(layers + 1):
            at = i * (layers + 1) + j
            places[f"up_blocks.{i}.resnets.{j}."] = f"output_blocks.{at}.0."
            places[f"up_blocks.{i}.attentions.{j}."] = f"output_blocks.{at}.1."
        end = (i + 1) * (layers + 1) - 1
        places[f"up_blocks.{i}.upsamplers.0.conv."] = f"output_blocks.{end}.{2 if attends else 1}.conv."
    found: Weights = {}
    for name, value in unet.state_dict().items():
        prefix = next((start for start in places if name.startswith(start)), "")
        placed = places.get(prefix, "") + name.removeprefix(prefix)
        inner = _renamed(placed, _UNET_ENDS)
        found[_UNET + (_renamed(inner, _RESNET) if "resnets." in name else inner)] = value
    return found


def _vae(vae: Any) -> Weights:
    levels = len(vae.config.block_out_channels)
    found: Weights = {}
    for name, value in vae.state_dict().items():
        up = re.match(r"decoder\.up_blocks\.(\d+)\.(resnets|upsamplers\.0)\.", name)
        kind = "block" if up is not None and up[2] == "resnets" else "upsample"
        placed = name if up is None else f"decoder.up.{levels - 1 - int(up[1])}.{kind}.{name[up.end() :]}"
        attends = ".attentions." in name and value.ndim == 2
        found[_VAE + _renamed(placed, _VAE_PARTS)] = value[:, :, None, None] if attends else value
    return found


def _clip(encoder: Any) -> Iterator[tuple[str, Tensor]]:
    """Yield the weights of a CLIP by the names inside its text model, whether it is wrapped in one or not."""
    for name, value in encoder.state_dict().items():
        yield name.removeprefix("text_model."), value


def _open_clip(encoder: Any, prefix: str) -> Weights:
    weights = dict(_clip(encoder))
    for i in range(encoder.config.num_hidden_layers):
        for kind in ("weight", "bias"):
            names = [f"encoder.layers.{i}.self_attn.{part}_proj.{kind}" for part in "qkv"]
            weights[f"encoder.layers.{i}.self_attn.in_proj_{kind}"] = torch.cat([weights.pop(name) for name in names])
    if "text_projection.weight" in weights:
        weights["text_projection"] = weights.pop("text_projection.weight").T.contiguous()
    return {prefix + _renamed(name, _OPEN_CLIP): value for name, value in weights.items()}


def _join(weights: Weights, start: str, kinds: list[str], into: str) -> None:
    """Put several layers with one input into one."""
    for kind in ("weight", "bias"):
        weights[into + kind] = torch.cat([weights.pop(f"{start}{part}.{kind}") for part in kinds])


def _transformer(weights: Mapping[str, Tensor], names: Names, swapped: tuple[str, ...]) -> Weights:
    """Return the weights of a transformer; in the swapped ones the original has the shift before the scale."""
    found: Weights = {}
    for name, value in weights.items():
        own = torch.cat(value.chunk(2)[::-1]) if name.startswith(swapped) else value
        found[_UNET + _renamed(name, names)] = own
    return found


def _renamed(name: str, names: Names) -> str:
    for pattern, new in names:
        name = re.sub(pattern, new, name)
    return name
