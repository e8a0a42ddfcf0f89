"""Recipe of the denoiser: a U-Net on frozen latents and a frozen text encoder, eps prediction, as Stable Diffusion."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from diffusers import (
    AutoencoderKL,
    DDIMScheduler,
    StableDiffusion3Pipeline,
    StableDiffusionPipeline,
    UNet2DConditionModel,
)
from diffusers.models.attention_processor import AttnProcessor
from torch import Tensor
from transformers import CLIPTextModel, CLIPTokenizer

from semguide_emoji.training.data import Batches
from semguide_emoji.training.pool import Pool, without_captions
from semguide_emoji.training.sheets import save_sheet


def build_unet(
    vae: AutoencoderKL, text_width: int, sample_size: int, channels: tuple[int, ...]
) -> UNet2DConditionModel:
    """A small U-Net with cross-attention at every resolution.

    Args:
        vae: Gives the latents' channels.
        text_width: Hidden size of the text encoder.
        sample_size: Side of the latents.
        channels: Width at each resolution, from the full one down; multiples of 32.
    """
    return UNet2DConditionModel(
        sample_size=sample_size,
        in_channels=vae.config["latent_channels"],
        out_channels=vae.config["latent_channels"],
        block_out_channels=channels,
        layers_per_block=2,
        cross_attention_dim=text_width,
        attention_head_dim=4,
        norm_num_groups=16,
        down_block_types=("CrossAttnDownBlock2D",) * len(channels),
        up_block_types=("CrossAttnUpBlock2D",) * len(channels),
    )


def build_scheduler() -> DDIMScheduler:
    """Stable Diffusion's noise schedule."""
    return DDIMScheduler(
        beta_start=0.00085,
        beta_end=0.012,
        beta_schedule="scaled_linear",
        clip_sample=False,
        set_alpha_to_one=False,
        steps_offset=1,
    )


#: Prompts of the sample sheet: single objects, then pairs.
SHEET = (
    *("a red car", "a blue apple", "a green frog", "a yellow bird", "a black cat", "a pink bow", "a white rabbit"),
    *("a purple crown", "a brown chair", "an orange balloon", "a gray elephant", "a red clock"),
    *("a red car and a blue apple", "a black cat and a yellow bird", "a green bowl and a pink bench"),
    "a lion and a mouse",
)


class UNetRecipe:
    """Noise prediction with min-SNR weights (arXiv 2303.09556) and captions dropped for classifier-free guidance.

    Args:
        pipe: Holds U-Net (trained), autoencoder, text encoder and tokenizer (frozen).
        batches: Pictures with captions.
        pool: Batches in a pool.
        repeats: How often a pool is gone through.
        dropped: Share of captions replaced by the empty one, 0 to 1.
        gamma: Cap of the signal-to-noise weight.
        focus: Timesteps are drawn from Beta(focus, focus); 1 is uniform, more spends the evaluations where the picture
            is decided and fewer on nearly clean or nearly pure noise, whose weight is small anyway.
    """

    def __init__(
        self,
        pipe: StableDiffusionPipeline,
        batches: Batches,
        pool: int = 64,
        repeats: int = 3,
        dropped: float = 0.1,
        gamma: float = 5.0,
        focus: float = 2.0,
    ) -> None:
        self.pipe = pipe
        self.model = pipe.unet.to(memory_format=torch.channels_last)
        if self.model.device.type == "cpu":  # the fused kernel's backward is slow on short sequences
            self.model.set_attn_processor(AttnProcessor())
        self.pool = Pool(pipe, batches, pool, repeats)
        self.dropped, self.gamma, self.focus = dropped, gamma, focus
        for frozen in (pipe.vae, pipe.text_encoder):
            frozen.requires_grad_(False).eval()

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`."""
        latents, ids = self.pool(index)
        device = latents.device
        ids = without_captions(ids, self.pool.empty, self.dropped, generator)
        noise = torch.randn(latents.shape, generator=generator, device=device)
        t = self._timesteps(len(ids), generator)
        x = self.pipe.scheduler.add_noise(latents, noise, t)
        with torch.no_grad():
            hidden = self.pipe.text_encoder(ids)[0]
        predicted = self.model(x.to(memory_format=torch.channels_last), t, hidden, return_dict=False)[0].float()
        alpha = self.pipe.scheduler.alphas_cumprod.to(device)[t]
        weight = torch.clamp(self.gamma * (1 - alpha) / alpha, max=1.0)
        return (weight * (predicted - noise).square().flatten(1).mean(1)).mean()

    def _timesteps(self, count: int, generator: torch.Generator) -> Tensor:
        """Timesteps from Beta(focus, focus), (count,), by inverting its distribution on a table."""
        device = self.model.device
        grid = torch.linspace(0, 1, 1001, device=device)
        total = torch.cumulative_trapezoid((grid * (1 - grid)).pow(self.focus - 1), grid)
        drawn = torch.rand(count, generator=generator, device=device) * total[-1]
        return torch.searchsorted(total, drawn).clamp(max=999)

    def sheet(self, path: Path) -> None:
        """Single objects and pairs by plain CFG."""
        save_sheet(sample(self.pipe, list(SHEET)), path, columns=8, scale=2)


@torch.no_grad()
def sample(
    pipe: StableDiffusionPipeline | StableDiffusion3Pipeline,
    prompts: list[str],
    steps: int = 20,
    scale: float = 5.0,
    seed: int = 0,
) -> Tensor:
    """Pictures by plain CFG: (len(prompts), 3, height, width) in [-1, 1]."""
    generators = [torch.Generator().manual_seed(seed + i) for i in range(len(prompts))]
    pipe.set_progress_bar_config(disable=True)
    call: Any = pipe
    out = call(prompts, num_inference_steps=steps, guidance_scale=scale, generator=generators, output_type="pt")
    return out.images * 2 - 1


def assemble(
    vae: AutoencoderKL, text: CLIPTextModel, tokenizer: CLIPTokenizer, unet: UNet2DConditionModel
) -> StableDiffusionPipeline:
    """The parts as an ordinary pipeline, without a safety checker."""
    return StableDiffusionPipeline(
        vae,
        text,
        tokenizer,
        unet,
        build_scheduler(),  # pyright: ignore[reportArgumentType]
        safety_checker=None,  # pyright: ignore[reportArgumentType]
        feature_extractor=None,  # pyright: ignore[reportArgumentType]
        requires_safety_checker=False,
    )
