"""Recipe of the autoencoder: AutoencoderKL, f = 8."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
from diffusers import AutoencoderKL
from diffusers.models.resnet import ResnetBlock2D
from torch import Tensor, nn
from torch.nn import functional as F

from semguide_emoji.training.data import Batches
from semguide_emoji.training.sheets import save_sheet


def build_vae(size: int, channels: tuple[int, ...] = (16, 32, 64, 128), latent_channels: int = 16) -> AutoencoderKL:
    """A small f = 8 autoencoder.

    Args:
        size: Side of the pictures, pixels.
        channels: Width at full, half, quarter and eighth resolution.
        latent_channels: Channels of the latents.
    """
    vae = AutoencoderKL(
        down_block_types=("DownEncoderBlock2D",) * len(channels),  # pyright: ignore[reportArgumentType]
        up_block_types=("UpDecoderBlock2D",) * len(channels),  # pyright: ignore[reportArgumentType]
        block_out_channels=channels,  # pyright: ignore[reportArgumentType]
        layers_per_block=1,
        latent_channels=latent_channels,
        norm_num_groups=8,
        mid_block_add_attention=False,
        sample_size=size,
    )
    for module in vae.modules():  # residual branches start at zero: the network starts linear and learns much sooner
        if isinstance(module, ResnetBlock2D):
            nn.init.zeros_(module.conv2.weight)
    quantize: Any = vae.quant_conv
    with torch.no_grad():  # and so does hardly any noise on the latents
        quantize.weight[latent_channels:] = 0.0
        quantize.bias[latent_channels:] = -6.0
    return vae


class VAERecipe:
    """L1 on pixels and on pixel differences, with a slight pull of the latents to N(0, 1).

    Args:
        vae: The model; with `decoder_only` its encoder is frozen, so that latents stay what they are.
        batches: Pictures.
        crop: Side of the random crops to train on, pixels, a multiple of 8; smaller ones give more steps a second.
        decoder_only: Train the decoder alone.
    """

    def __init__(
        self, vae: AutoencoderKL, batches: Batches, crop: int | None = None, decoder_only: bool = False
    ) -> None:
        self.model = vae.to(memory_format=torch.channels_last)  # pyright: ignore[reportCallIssue, reportArgumentType]
        self.batches, self.crop = batches, crop
        if decoder_only:
            vae.encoder.requires_grad_(False)
            if vae.quant_conv is not None:
                vae.quant_conv.requires_grad_(False)

    def loss(self, index: int, generator: torch.Generator) -> Tensor:
        """Loss of batch `index`."""
        pictures = self._cropped(self.batches(index)[0].to(self.model.device), index)
        posterior = self.model.encode(pictures).latent_dist
        noise = torch.randn(posterior.mean.shape, generator=generator, device=pictures.device)
        restored = self.model.decode(posterior.mean + posterior.std * noise).sample.float()
        error = restored - pictures
        edges = error.diff(dim=-1).abs().mean() + error.diff(dim=-2).abs().mean()
        return error.abs().mean() + F.mse_loss(restored, pictures) + 0.5 * edges + 1e-5 * posterior.kl().float().mean()

    def _cropped(self, pictures: Tensor, index: int) -> Tensor:
        if self.crop is None:
            return pictures
        places = (pictures.shape[-1] - self.crop) // 8 + 1
        x, y = (np.random.default_rng((self.batches.seed, index)).integers(places, size=2) * 8).tolist()
        return pictures[..., y : y + self.crop, x : x + self.crop]

    def sheet(self, path: Path) -> None:
        """Pictures above their reconstructions."""
        pictures = self.batches(10**6)[0][:16].to(self.model.device)
        restored = reconstruct(self.model, pictures)
        save_sheet(torch.cat([pictures, restored]), path, columns=16)


def encode(vae: Any, pictures: Tensor) -> Tensor:
    """Mean latents (batch, channels, height / 8, width / 8), unscaled, of pictures in [-1, 1]."""
    return vae.encode(pictures).latent_dist.mean


def reconstruct(vae: Any, pictures: Tensor) -> Tensor:
    """Pictures (batch, 3, height, width) in [-1, 1] through the autoencoder and back; not clamped."""
    return vae.decode(encode(vae, pictures)).sample


@torch.no_grad()
def psnr(vae: AutoencoderKL, batches: Batches, count: int = 512) -> float:
    """Mean peak signal-to-noise ratio of reconstructions of held-out pictures, dB (peak 1.0).

    Args:
        vae: The autoencoder.
        batches: Pictures; batches from 2,000,000 on are used, which training never reaches.
        count: How many pictures.
    """
    values: list[Tensor] = []
    for index in range(-(-count // batches.batch_size)):
        pictures = batches(2_000_000 + index)[0].to(vae.device)
        restored = reconstruct(vae, pictures).clamp(-1, 1)
        error = ((restored - pictures) / 2).square().flatten(1).mean(1)
        values.append(-10 * error.log10())
    return float(torch.cat(values)[:count].mean())


@torch.no_grad()
def latent_scale(vae: AutoencoderKL, batches: Batches, count: int = 256) -> float:
    """1 / standard deviation of the latents: the `scaling_factor` that gives them unit variance."""
    pictures = torch.cat([batches(3_000_000 + i)[0] for i in range(-(-count // batches.batch_size))])
    return float(1.0 / encode(vae, pictures.to(vae.device)).std())
