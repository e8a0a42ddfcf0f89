"""A real ComfyUI, from the folder that COMFYUI_PATH names; nothing of it is part of this repository."""

from __future__ import annotations

import os
import sys
import types
import warnings
from importlib import import_module
from importlib.machinery import ModuleSpec
from pathlib import Path
from typing import Any

import torch

FOLDER = os.environ.get("COMFYUI_PATH", "")
"""Where ComfyUI is; empty where the tests of it are skipped."""


def comfy(name: str) -> Any:
    """Import a module of ComfyUI, on the CPU."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        if FOLDER not in sys.path:
            import diffusers  # noqa: F401 - before the torchvision below is there to be found
            import transformers  # noqa: F401

            sys.path.insert(0, FOLDER)
            _stand_in_for_torchvision()
            import_module("comfy.cli_args").args.cpu = True
        return import_module(name)


def version() -> str:
    """Return the version of the checkout."""
    text = (Path(FOLDER) / "comfyui_version.py").read_text(encoding="utf-8")
    return text.split('"')[-2]


def _stand_in_for_torchvision() -> None:
    """Let ComfyUI import torchvision where there is none: video models use it, which nothing here runs."""
    try:
        import_module("torchvision")
    except ImportError:
        for name in ("torchvision", "torchvision.transforms"):
            module = types.ModuleType(name)
            module.__spec__ = ModuleSpec(name, None)
            sys.modules[name] = module
        sys.modules["torchvision"].transforms = sys.modules["torchvision.transforms"]  # type: ignore[attr-defined]


class DiffusersUNet(torch.nn.Module):
    """A UNet of diffusers as the network in ComfyUI's model."""

    def __init__(self, unet: Any) -> None:
        super().__init__()
        self.unet = unet
        self.dtype = unet.dtype
        self.rows: list[int] = []

    def forward(self, x: Any, timesteps: Any = None, context: Any = None, **_: Any) -> Any:
        self.rows.append(len(x))
        return self.unet(x, timesteps, encoder_hidden_states=context).sample


def small_unet(text: int = 32) -> torch.nn.Module:
    """Return ComfyUI's own UNet, small and with weights of a fixed seed, for texts of so many channels."""
    unet = comfy("comfy.ldm.modules.diffusionmodules.openaimodel").UNetModel(
        image_size=8,
        in_channels=4,
        model_channels=32,
        out_channels=4,
        num_res_blocks=[1, 1],
        channel_mult=[1, 2],
        num_heads=2,
        use_spatial_transformer=True,
        transformer_depth=[1, 1],
        transformer_depth_middle=1,
        transformer_depth_output=[1, 1, 1, 1],
        context_dim=text,
        dtype=torch.float32,
        operations=comfy("comfy.ops").disable_weight_init,
    )
    return _with_weights(unet, 0.1)


def small_mmdit(text: int = 32) -> torch.nn.Module:
    """Return ComfyUI's own network of Stable Diffusion 3, small and with weights of a fixed seed."""
    embedder = {"target": "torch.nn.Linear", "params": {"in_features": text, "out_features": 128}}
    network = comfy("comfy.ldm.modules.diffusionmodules.mmdit").OpenAISignatureMMDITWrapper(
        input_size=None,
        pos_embed_max_size=16,
        pos_embed_scaling_factor=None,
        num_patches=16 * 16,
        patch_size=2,
        in_channels=16,
        depth=2,
        adm_in_channels=8,
        context_embedder_config=embedder,
        dtype=torch.float32,
        device="cpu",
        operations=comfy("comfy.ops").disable_weight_init,
    )
    return _with_weights(network, 0.05)


def _with_weights(network: torch.nn.Module, size: float) -> torch.nn.Module:
    generator = torch.Generator().manual_seed(0)
    for weight in (*network.parameters(), *network.buffers()):
        torch.nn.init.normal_(weight, 0.0, size, generator=generator)
    return network


def patched(network: torch.nn.Module, kind: str = "EPS", family: str = "SD15") -> Any:
    """Return ComfyUI's model patcher around a network that takes a family's inputs."""
    base = comfy("comfy.model_base")
    config = getattr(comfy("comfy.supported_models"), family)({"disable_unet_model_creation": True})
    made = base.SD3 if family == "SD3" else base.BaseModel
    model = made(config, model_type=getattr(base.ModelType, kind))
    model.diffusion_model = network
    cpu = torch.device("cpu")
    return comfy("comfy.model_patcher").ModelPatcher(model, load_device=cpu, offload_device=cpu)


def grows() -> bool:
    """Whether the checkout has inputs that grow, and so the V3 classes."""
    return "class Autogrow(" in (Path(FOLDER) / "comfy_api" / "latest" / "_io.py").read_text(encoding="utf-8")
