"""Tiny text encoders of the real classes, with the vocabulary of their tokenizer."""

from __future__ import annotations

from typing import Any

from support.zoo.weights import benign

DIM = 32


def clip(tokenizer: Any, seed: int, *, projection: bool) -> Any:
    """Build a CLIP text encoder of width 32."""
    from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection

    end = tokenizer.eos_token_id
    config = CLIPTextConfig(
        vocab_size=end + 1,
        hidden_size=DIM,
        intermediate_size=DIM,
        num_hidden_layers=2,
        num_attention_heads=4,
        max_position_embeddings=77,
        projection_dim=DIM,
        bos_token_id=end - 1,
        eos_token_id=end,
        pad_token_id=end,
    )
    return benign((CLIPTextModelWithProjection if projection else CLIPTextModel)(config), seed)


def t5(tokenizer: Any, seed: int, dim: int = DIM) -> Any:
    """Build a T5 encoder."""
    from transformers import T5Config, T5EncoderModel

    config = T5Config(
        vocab_size=len(tokenizer),
        d_model=dim,
        d_kv=8,
        d_ff=DIM,
        num_layers=1,
        num_heads=4,
        relative_attention_num_buckets=8,
        feed_forward_proj="gated-gelu",
        dropout_rate=0.0,
    )
    return benign(T5EncoderModel(config), seed)


def qwen_vl(tokenizer: Any, seed: int, layers: int = 2) -> Any:
    """Build a Qwen2.5-VL of width 16."""
    from transformers import Qwen2_5_VLConfig, Qwen2_5_VLForConditionalGeneration

    text = {
        "vocab_size": len(tokenizer),
        "hidden_size": 16,
        "intermediate_size": 16,
        "num_hidden_layers": layers,
        "num_attention_heads": 2,
        "num_key_value_heads": 2,
        "rope_scaling": {"mrope_section": [1, 1, 2], "rope_type": "default", "type": "default"},
        "rope_theta": 1000000.0,
        "bos_token_id": None,
        "eos_token_id": len(tokenizer) - 1,
    }
    vision = {"depth": 1, "hidden_size": 16, "intermediate_size": 16, "num_heads": 2, "out_hidden_size": 16}
    ids: dict[str, Any] = {f"vision_{name}token_id": len(tokenizer) - 1 for name in ("", "start_", "end_")}
    config = Qwen2_5_VLConfig(text_config=text, vision_config=vision, **ids)
    return benign(Qwen2_5_VLForConditionalGeneration(config), seed)


def umt5(tokenizer: Any, seed: int) -> Any:
    """Build a UMT5 encoder of width 32."""
    from transformers import UMT5Config, UMT5EncoderModel

    config = UMT5Config(
        vocab_size=len(tokenizer), d_model=DIM, d_kv=8, d_ff=DIM, num_layers=1, num_heads=4, dropout_rate=0.0
    )
    return benign(UMT5EncoderModel(config), seed)


def gemma(tokenizer: Any, seed: int) -> Any:
    """Build a Gemma 2 of width 32."""
    from transformers import Gemma2Config, Gemma2Model

    return benign(Gemma2Model(_decoder(Gemma2Config, tokenizer, query_pre_attn_scalar=8)), seed)


def qwen3(tokenizer: Any, seed: int) -> Any:
    """Build a Qwen3 of width 32."""
    from transformers import Qwen3Config, Qwen3Model

    return benign(Qwen3Model(_decoder(Qwen3Config, tokenizer)), seed)


def llama(tokenizer: Any, seed: int, layers: int = 2) -> Any:
    """Build a Llama of width 32."""
    from transformers import LlamaConfig, LlamaForCausalLM

    return benign(LlamaForCausalLM(_decoder(LlamaConfig, tokenizer, layers)), seed)


def glm(tokenizer: Any, seed: int) -> Any:
    """Build a GLM of width 32."""
    from transformers import GlmConfig, GlmModel

    return benign(GlmModel(_decoder(GlmConfig, tokenizer)), seed)


def chat_glm(tokenizer: Any, seed: int) -> Any:
    """Build a ChatGLM of width 32."""
    from diffusers.pipelines.kolors import ChatGLMModel
    from diffusers.pipelines.kolors.text_encoder import ChatGLMConfig

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
    return model


def _decoder(config: Any, tokenizer: Any, layers: int = 2, **more: Any) -> Any:
    end = tokenizer.eos_token_id
    return config(
        vocab_size=len(tokenizer),
        hidden_size=DIM,
        intermediate_size=DIM,
        num_hidden_layers=layers,
        num_attention_heads=4,
        num_key_value_heads=2,
        head_dim=8,
        max_position_embeddings=1024,
        attn_implementation="eager",
        bos_token_id=None,
        eos_token_id=end,
        pad_token_id=tokenizer.pad_token_id,
        **more,
    )
