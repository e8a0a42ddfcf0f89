"""Tiny text encoders of the real classes, each returned with its tokenizer, whose vocabulary it has."""

from __future__ import annotations

from operator import attrgetter
from typing import Any

from support.tiny.tokenizers import Positions, byte_tokenizer, clip_tokenizer, qwen_tokenizer
from support.tiny.weights import benign

DIM = 32
"""The width of text encoders other than Qwen's vision-language models."""
QWEN_DIM = 16
"""The width of those."""
Text = tuple[Any, Any]
"""A text encoder and its tokenizer."""


def clip_text(tokenizer: Any, *, projection: bool = False, **changes: Any) -> Any:
    """Build a CLIP text encoder with weights of its class's own initialisation."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    end = tokenizer.eos_token_id
    config: dict[str, Any] = {
        "vocab_size": end + 1,
        "hidden_size": DIM,
        "intermediate_size": DIM,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "max_position_embeddings": 77,
        "projection_dim": DIM,
        "bos_token_id": end - 1,
        "eos_token_id": end,
        "pad_token_id": end,
    }
    return (CLIPTextModelWithProjection if projection else CLIPTextModel)(CLIPTextConfig(**{**config, **changes}))


def clip(seed: int, *, projection: bool) -> Text:
    """Build a CLIP text encoder."""
    tokenizer = clip_tokenizer()
    return benign(clip_text(tokenizer, projection=projection), seed), tokenizer


def t5(seed: int, **changes: Any) -> Text:
    """Build a T5 encoder."""
    return _t5("T5EncoderModel", seed, relative_attention_num_buckets=8, feed_forward_proj="gated-gelu", **changes)


def umt5(seed: int) -> Text:
    """Build a UMT5 encoder."""
    return _t5("UMT5EncoderModel", seed)


def _t5(name: str, seed: int, **changes: Any) -> Text:
    tokenizer = byte_tokenizer()
    config = {"d_model": DIM, "d_kv": 8, "d_ff": DIM, "num_layers": 1, "num_heads": 4, "dropout_rate": 0.0, **changes}
    return _model(name, seed, vocab_size=len(tokenizer), **config), tokenizer


def decoder(name: str, seed: int, tokenizer: Any = None, part: str = "", **changes: Any) -> Text:
    """Build a language model.

    Args:
        name: Its class in transformers.
        seed: Seed of its weights.
        tokenizer: Its tokenizer; None: one of bytes.
        part: What of it is the text encoder; empty: all.
        changes: What differs in its config.
    """
    tokenizer = tokenizer or byte_tokenizer()
    config = {
        "vocab_size": len(tokenizer),
        "hidden_size": DIM,
        "intermediate_size": DIM,
        "num_hidden_layers": 2,
        "num_attention_heads": 4,
        "num_key_value_heads": 2,
        "head_dim": 8,
        "max_position_embeddings": 1024,
        "attn_implementation": "eager",
        "bos_token_id": None,
        "eos_token_id": tokenizer.eos_token_id,
        "pad_token_id": tokenizer.pad_token_id,
    }
    return _part(_model(name, seed, **{**config, **changes}), part), tokenizer


def chat_glm(seed: int) -> Text:
    """Build a ChatGLM."""
    from diffusers.pipelines.kolors import ChatGLMModel
    from diffusers.pipelines.kolors.text_encoder import ChatGLMConfig

    tokenizer = byte_tokenizer()
    config = ChatGLMConfig(
        num_layers=2,
        padded_vocab_size=len(tokenizer),
        hidden_size=DIM,
        ffn_hidden_size=DIM,
        kv_channels=8,
        num_attention_heads=4,
        seq_length=256,
        add_qkv_bias=True,
        multi_query_attention=True,
        multi_query_group_num=2,
        original_rope=True,
    )
    model = benign(ChatGLMModel(config, empty_init=False), seed)
    for name, weight in model.named_parameters():
        if weight.ndim == 1 and not name.endswith("bias"):
            weight.fill_(1.0)  # gains of its norms are not set when it is made
    return model, Positions(tokenizer)


def qwen2_vl(seed: int, tokenizer: Any = None, layers: int = 2, part: str = "") -> Text:
    """Build a Qwen2.5-VL, or the part of it that is the text encoder."""
    tokenizer = tokenizer or qwen_tokenizer()
    end = len(tokenizer) - 1
    text = {
        "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
        "rope_theta": 1000000.0,
        "bos_token_id": None,
        "eos_token_id": end,
    }
    ids = {f"vision_{name}token_id": end for name in ("", "start_", "end_")}
    model = _qwen_vl("Qwen2_5_VLForConditionalGeneration", seed, tokenizer, layers, text, {}, ids)
    return _part(model, part), tokenizer


def qwen3_vl(seed: int, layers: int = 2, part: str = "") -> Text:
    """Build a Qwen3-VL, or the part of it that is the text encoder."""
    tokenizer = qwen_tokenizer()
    rope = {"rope_type": "default", "rope_theta": 10000.0, "mrope_section": [2, 1, 1]}
    text, vision = {"head_dim": 8, "rope_parameters": rope}, {"deepstack_visual_indexes": []}
    ids = {name: len(tokenizer) - 1 for name in ("image_token_id", "video_token_id")}
    return _part(
        _qwen_vl("Qwen3VLForConditionalGeneration", seed, tokenizer, layers, text, vision, ids), part
    ), tokenizer


def _qwen_vl(name: str, seed: int, tokenizer: Any, layers: int, text: Any, vision: Any, ids: Any) -> Any:
    size = {"hidden_size": QWEN_DIM, "intermediate_size": QWEN_DIM}
    heads = {"num_hidden_layers": layers, "num_attention_heads": 2, "num_key_value_heads": 2}
    text_config = {"vocab_size": len(tokenizer), **size, **heads, **text}
    vision_config = {**size, "depth": 1, "num_heads": 2, "out_hidden_size": QWEN_DIM, **vision}
    return _model(name, seed, text_config=text_config, vision_config=vision_config, **ids)


def _model(name: str, seed: int, **config: Any) -> Any:
    import transformers

    kind = getattr(transformers, name)
    return benign(kind(kind.config_class(**config)), seed)


def _part(model: Any, path: str) -> Any:
    return attrgetter(path)(model) if path else model
