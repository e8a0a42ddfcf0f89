"""Recipe of emoji-flow: SD3's MMDiT, trained by flow matching on frozen latents and frozen text encoders."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch
from diffusers import AutoencoderKL, FlowMatchEulerDiscreteScheduler, SD3Transformer2DModel, StableDiffusion3Pipeline
from tokenizers import Tokenizer, models
from torch import Tensor, nn
from torch.nn import functional as F
from transformers import (
    CLIPTextModelWithProjection,
    CLIPTokenizer,
    PreTrainedTokenizerFast,
    T5Config,
    T5EncoderModel,
)

from semguide_emoji.training.data import Batches
from semguide_emoji.training.pool import Pool, without_captions
from semguide_emoji.training.sheets import save_sheet
from semguide_emoji.training.unet import SHEET, sample

#: Tokens that StableDiffusion3Pipeline takes from T5 by default, its `max_sequence_length`; here all of them zero.
ABSENT = 256


def build_transformer(
    vae: AutoencoderKL, text_width: int, sample_size: int, width: int, layers: int
) -> SD3Transformer2DModel:
    """A small MMDiT whose blocks start as the identity.

    Args:
        vae: Gives the latents' channels.
        text_width: Hidden size of both text encoders together.
        sample_size: Side of the latents; every latent pixel is a token.
        width: Of both streams, a multiple of 32.
        layers: Depth.
    """
    transformer = SD3Transformer2DModel(
        sample_size=sample_size,
        patch_size=1,
        in_channels=vae.config["latent_channels"],
        out_channels=vae.config["latent_channels"],
        num_layers=layers,
        attention_head_dim=32,
        num_attention_heads=width // 32,
        joint_attention_dim=text_width,
        caption_projection_dim=width,
        pooled_projection_dim=text_width,
        pos_embed_max_size=sample_size,
        qk_norm="rms_norm",
    )
    _initialize(transformer)
    return transformer


def _initialize(transformer: Any) -> None:
    """Initialise as DiT does (arXiv 2212.09748): modulation and output at zero."""
    for name, module in transformer.named_modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
            nn.init.zeros_(module.bias)
            if "norm" in name or name == "proj_out":
                nn.init.zeros_(module.weight)
    with torch.no_grad():  # a CLIP's inner hidden states are large, its embeddings small: both are to be heard alike
        states, embeddings = transformer.context_embedder.weight.chunk(2, dim=1)
        states.mul_(0.1)
        embeddings.mul_(10.0)
    # A zero token is this bias alone; at zero its layer norm would divide by nothing.
    nn.init.normal_(transformer.context_embedder.bias, std=0.5)


def build_flow_scheduler() -> FlowMatchEulerDiscreteScheduler:
    """Straight paths, unshifted: the latents are small."""
    return FlowMatchEulerDiscreteScheduler(num_train_timesteps=1000, shift=1.0)


def assemble_flow(
    vae: AutoencoderKL, text: CLIPTextModelWithProjection, tokenizer: CLIPTokenizer, transformer: SD3Transformer2DModel
) -> StableDiffusion3Pipeline:
    """The parts as an ordinary pipeline, with a T5 that says nothing.

    SD3 reads the last layer but one of two CLIP text encoders, and the projected end mark of both. The first is the
    set's own, the second its first layer alone, whose input is each word by itself.
    """
    vae.register_to_config(shift_factor=0.0)
    second = first_layer(text)
    silent: Any = silent_t5(2 * text.config.hidden_size)
    return StableDiffusion3Pipeline(
        transformer, build_flow_scheduler(), vae, text, tokenizer, second, copy.deepcopy(tokenizer), *silent
    )


def silent_t5(width: int) -> tuple[T5EncoderModel, PreTrainedTokenizerFast]:
    """A T5 without layers whose output is zero, and its tokenizer, to which every word is unknown.

    The pipeline would put the same zeros in place of a T5 that is None, but then `from_pretrained` refuses to load the
    folder unless it is told so.
    """
    marks = {"pad_token": "<pad>", "eos_token": "</s>", "unk_token": "<unk>"}
    words = Tokenizer(models.WordLevel({mark: i for i, mark in enumerate(marks.values())}, unk_token="<unk>"))
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=words, model_max_length=ABSENT, **marks)
    config = T5Config(vocab_size=len(marks), d_model=width, d_kv=1, d_ff=1, num_layers=0, num_heads=1)
    t5 = T5EncoderModel(config)
    for parameter in t5.parameters():
        nn.init.zeros_(parameter)
    return t5, tokenizer


def first_layer(text: CLIPTextModelWithProjection) -> CLIPTextModelWithProjection:
    """A text encoder's embeddings and first layer as a model of its own."""
    config: Any = copy.deepcopy(text.config)
    config.num_hidden_layers = 1
    first = CLIPTextModelWithProjection(config)
    weights = text.state_dict()
    first.load_state_dict({name: weights[name] for name in first.state_dict()})
    return first


class OneForMany:
    """SD3's joint attention in training, with one zero token that counts for all.

    Tokens of the text have no position, so the pipeline's 256 equal zero tokens stay equal through every layer; one
    of them, its attention weight times 256, gives the same result at a tenth of the cost.
    """

    def __call__(self, attn: Any, hidden_states: Tensor, encoder_hidden_states: Tensor, **_: Any) -> Any:
        """Attend; shapes as in `JointAttnProcessor2_0`, the last token of the text being the zero token."""

        def heads(x: Tensor) -> Tensor:
            return x.unflatten(-1, (attn.heads, -1)).transpose(1, 2)

        x, c = hidden_states, encoder_hidden_states
        value = torch.cat([heads(attn.to_v(x)), heads(attn.add_v_proj(c))], dim=2)
        query = [attn.norm_q(heads(attn.to_q(x))), attn.norm_added_q(heads(attn.add_q_proj(c)))]
        key = [attn.norm_k(heads(attn.to_k(x))), attn.norm_added_k(heads(attn.add_k_proj(c)))]
        out = _attend(torch.cat(query, dim=2).to(value), torch.cat(key, dim=2).to(value), value)
        x, c = out.transpose(1, 2).flatten(2).split([x.shape[1], c.shape[1]], dim=1)
        return attn.to_out[0](x), c if attn.context_pre_only else attn.to_add_out(c)


def _attend(query: Tensor, key: Tensor, value: Tensor) -> Tensor:
    """Attention in which the last key counts `ABSENT` times: (batch, heads, tokens, width)."""
    bias = F.pad(query.new_zeros(key.shape[2] - 1), (0, 1), value=math.log(ABSENT))
    if query.device.type != "cpu":
        return F.scaled_dot_product_attention(query, key, value, attn_mask=bias.expand(1, 1, query.shape[2], -1))
    logits = query @ key.transpose(-1, -2) * query.shape[-1] ** -0.5  # the fused kernel's backward is slow there
    return (logits + bias).softmax(dim=-1).to(value.dtype) @ value


@contextmanager
def trained_attention(transformer: Any) -> Iterator[None]:
    """Attend with `OneForMany` inside, with diffusers' own processor outside."""
    attentions = [block.attn for block in transformer.transformer_blocks]
    before = [attn.processor for attn in attentions]
    for attn in attentions:
        attn.processor = OneForMany()
    try:
        yield
    finally:
        for attn, processor in zip(attentions, before, strict=True):
            attn.processor = processor


class FlowRecipe:
    """Velocity prediction at logit-normal times, as SD3 (arXiv 2403.03206), captions dropped for guidance.

    Args:
        pipe: Holds transformer (trained), autoencoder, text encoders and tokenizer (frozen).
        batches: Pictures with captions.
        pool: Batches in a pool.
        repeats: How often a pool is gone through.
        dropped: Share of captions replaced by the empty one, 0 to 1.
    """

    def __init__(
        self,
        pipe: StableDiffusion3Pipeline,
        batches: Batches,
        pool: int = 64,
        repeats: int = 3,
        dropped: float = 0.1,
    ) -> None:
        self.pipe, self.model, self.dropped = pipe, pipe.transformer, dropped
        self.pool = Pool(pipe, batches, pool, repeats)
        for frozen in (pipe.vae, pipe.text_encoder, pipe.text_encoder_2):
            frozen.requires_grad_(False).eval()

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`."""
        latents, ids = self.pool(index)
        device = latents.device
        hidden, pooled = self._text(without_captions(ids, self.pool.empty, self.dropped, generator))
        noise = torch.randn(latents.shape, generator=generator, device=device)
        sigma = torch.randn(len(ids), generator=generator, device=device).sigmoid()
        x = torch.lerp(latents, noise, sigma[:, None, None, None])
        with trained_attention(self.model):
            velocity = self.model(x, hidden, pooled, sigma * 1000, return_dict=False)[0].float()
        return F.mse_loss(velocity, noise - latents)

    @torch.no_grad()
    def _text(self, ids: Tensor) -> tuple[Tensor, Tensor]:
        """Tokens (batch, length + 1, width), the last for the silent T5, and pooled vectors (batch, width)."""
        both: list[Any] = [
            encoder(ids, output_hidden_states=True) for encoder in (self.pipe.text_encoder, self.pipe.text_encoder_2)
        ]
        hidden = torch.cat([out.hidden_states[-2] for out in both], dim=-1)
        return F.pad(hidden, (0, 0, 0, 1)), torch.cat([out[0] for out in both], dim=-1)

    def sheet(self, path: Path) -> None:
        """Single objects and pairs by plain CFG."""
        save_sheet(sample(self.pipe, list(SHEET)), path, columns=8, scale=2)
