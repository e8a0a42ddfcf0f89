from pathlib import Path
from typing import Any

import pytest
import torch
from diffusers import AutoencoderKL, StableDiffusion3Pipeline
from diffusers.models.attention_processor import JointAttnProcessor2_0
from transformers import CLIPTextModelWithProjection

from semguide_emoji.clip import EmojiCLIP
from semguide_emoji.training.data import Batches
from semguide_emoji.training.flow import ABSENT, FlowRecipe, build_transformer, trained_attention
from semguide_emoji.training.parts import assembled_flow
from semguide_emoji.training.pool import without_captions
from semguide_emoji.training.text import tokenize
from semguide_emoji.training.unet import sample
from support.tiny_set import TINY

PROMPTS = ["a red car and a blue apple", ""]


@pytest.fixture
def recipe(tiny_set: Path) -> FlowRecipe:
    pipe = assembled_flow(TINY, tiny_set)
    torch.manual_seed(1)
    for parameter in pipe.transformer.parameters():  # two steps leave most of them at zero
        torch.nn.init.normal_(parameter, std=0.1)
    return FlowRecipe(pipe, Batches(TINY.world, TINY.size, 4), pool=1, repeats=2)


def as_the_pipeline_calls_it(pipe: StableDiffusion3Pipeline, x: torch.Tensor, t: torch.Tensor, length: int) -> Any:
    options: Any = {"do_classifier_free_guidance": False, "max_sequence_length": length}
    encode: Any = pipe.encode_prompt
    hidden, _, pooled, _ = encode(PROMPTS, None, None, **options)
    assert hidden.shape[1] == TINY.flow_prompt_length + length
    return pipe.transformer(x, hidden, pooled, t, return_dict=False)[0]


@torch.no_grad()
def test_training_sees_what_the_pipeline_will_see(recipe: FlowRecipe):
    pipe = recipe.pipe
    x, t = torch.randn(2, 4, 4, 4, generator=torch.Generator().manual_seed(0)), torch.tensor([700.0, 40.0])
    hidden, pooled = recipe._text(tokenize(pipe.tokenizer, PROMPTS, "cpu"))
    with trained_attention(pipe.transformer):
        trained = pipe.transformer(x, hidden, pooled, t, return_dict=False)[0]
    torch.testing.assert_close(trained, as_the_pipeline_calls_it(pipe, x, t, ABSENT), atol=1e-5, rtol=1e-4)
    fewer = as_the_pipeline_calls_it(pipe, x, t, 1)
    assert float((trained - fewer).abs().max()) > 1e-3  # the zero tokens do matter


def test_outside_training_the_attention_is_that_of_diffusers(recipe: FlowRecipe):
    attentions = [block.attn for block in recipe.pipe.transformer.transformer_blocks]
    with trained_attention(recipe.pipe.transformer):
        assert not any(isinstance(attn.processor, JointAttnProcessor2_0) for attn in attentions)
    assert all(isinstance(attn.processor, JointAttnProcessor2_0) for attn in attentions)


def test_a_fresh_transformer_says_nothing_and_its_blocks_pass_everything_on():
    vae = AutoencoderKL(latent_channels=4, norm_num_groups=8, block_out_channels=(8,))  # pyright: ignore
    transformer = build_transformer(vae, 64, 4, 32, 2)
    x, hidden, pooled = torch.randn(2, 4, 4, 4), torch.randn(2, 5, 64), torch.randn(2, 64)
    assert not transformer(x, hidden, pooled, torch.tensor([3.0, 500.0]), return_dict=False)[0].any()
    block = transformer.transformer_blocks[0]
    tokens, words, t = torch.randn(2, 16, 32), torch.randn(2, 5, 32), torch.randn(2, 32)
    out_words, out_tokens = block(tokens, words, t)
    assert torch.equal(out_tokens, tokens)
    assert torch.equal(out_words, words)


@torch.no_grad()
def test_the_loss_is_that_of_the_straight_path(recipe: FlowRecipe, monkeypatch: pytest.MonkeyPatch):
    seen: list[tuple[torch.Tensor, torch.Tensor]] = []
    forward = recipe.model.forward

    def spy(x: torch.Tensor, hidden: torch.Tensor, pooled: torch.Tensor, t: torch.Tensor, **options: Any) -> Any:
        seen.append((x, t))
        out = forward(x, hidden, pooled, t, **options)
        seen.append((out[0], t))
        return out

    monkeypatch.setattr(recipe.model, "forward", spy)
    loss = recipe.loss(0, torch.Generator().manual_seed(5))
    (x, t), (velocity, _) = seen
    sigma = (t / 1000)[:, None, None, None]
    latents = recipe.pool(0)[0]
    noise = (x - (1 - sigma) * latents) / sigma
    torch.testing.assert_close(loss, (velocity - (noise - latents)).square().mean(), rtol=1e-3, atol=1e-4)
    assert bool(((t > 0) & (t < 1000)).all())


def test_both_text_encoders_are_the_trained_one_and_its_first_layer(tiny_set: Path):
    pipe, trained = assembled_flow(TINY, tiny_set), EmojiCLIP.load(tiny_set / "clip").text
    ids = tokenize(pipe.tokenizer, PROMPTS, "cpu")
    with torch.no_grad():
        own, first, second = (
            text(ids, output_hidden_states=True) for text in (trained, pipe.text_encoder, pipe.text_encoder_2)
        )
    assert isinstance(pipe.text_encoder, CLIPTextModelWithProjection)
    assert torch.equal(first.text_embeds, own.text_embeds)
    assert torch.equal(first.hidden_states[-2], own.hidden_states[-2])
    assert torch.equal(second.hidden_states[-2], own.hidden_states[0])
    assert torch.equal(second.hidden_states[-1], own.hidden_states[1])
    assert torch.equal(pipe.text_encoder_2.text_projection.weight, trained.text_projection.weight)


def test_t5_says_nothing_whatever_it_is_asked(recipe: FlowRecipe):
    pipe = recipe.pipe
    out = pipe._get_t5_prompt_embeds(["a red car", "größe 🚗 " * 40], max_sequence_length=ABSENT)
    assert out.shape == (2, ABSENT, 2 * TINY.clip_width)
    assert not out.any()


def test_captions_are_dropped_as_often_as_asked(tiny_set: Path):
    pipe = assembled_flow(TINY, tiny_set)
    ids = tokenize(pipe.tokenizer, ["a red car"] * 500, "cpu")
    empty = tokenize(pipe.tokenizer, [""], "cpu")
    dropped = (without_captions(ids, empty, 0.2, torch.Generator().manual_seed(0)) == empty).all(dim=1)
    assert 70 < int(dropped.sum()) < 130
    assert torch.equal(without_captions(ids, empty, 0.0, torch.Generator()), ids)


@torch.no_grad()
def test_a_perfect_velocity_costs_nothing_and_the_pipeline_arrives_at_the_picture(
    recipe: FlowRecipe, monkeypatch: pytest.MonkeyPatch
):
    """Times, signs and the scale of the latents are the same in training and in `StableDiffusion3Pipeline`."""
    latents = recipe.pool(0)[0]
    goal = latents

    def perfect(hidden_states: torch.Tensor, *_: Any, **options: Any) -> Any:
        t = options["timestep"] if "timestep" in options else _[2]
        return ((hidden_states - goal) / (t / 1000)[:, None, None, None],)

    monkeypatch.setattr(recipe.model, "forward", perfect)
    assert float(recipe.loss(0, torch.Generator().manual_seed(5))) < 1e-8
    goal = latents[:1]
    made = sample(recipe.pipe, ["a red car"], steps=3)
    vae: Any = recipe.pipe.vae
    expected = vae.decode(goal / vae.config["scaling_factor"]).sample.clamp(-1, 1)
    torch.testing.assert_close(made, expected, atol=1e-4, rtol=0)
