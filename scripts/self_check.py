"""Prove that an environment can run semguide; run inside it by scripts/bootstrap.py. Exits nonzero with the reason."""

from __future__ import annotations

import importlib
import importlib.util
import os
import subprocess
import sys

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1")


def check_packages() -> str:
    """Import what everything rests on; torchvision must be absent, since it breaks diffusers beside a CPU torch."""
    if importlib.util.find_spec("torchvision") is not None:
        raise RuntimeError("torchvision is installed and must not be: run .venv/bin/pip uninstall torchvision")
    names = ("torch", "diffusers", "transformers", "semguide")
    versions = [f"{name} {getattr(importlib.import_module(name), '__version__', '?')}" for name in names]
    return ", ".join(versions)


def check_arithmetic() -> None:
    """A matrix product and one pass through a small U-Net have the right shapes and finite values."""
    import torch
    from diffusers.models.unets.unet_2d_condition import UNet2DConditionModel

    if not torch.equal(torch.ones(3, 4) @ torch.ones(4, 2), torch.full((3, 2), 4.0)):
        raise RuntimeError("torch computes a wrong matrix product")
    unet = UNet2DConditionModel(
        sample_size=8,
        block_out_channels=(8, 8),
        layers_per_block=1,
        norm_num_groups=4,
        cross_attention_dim=8,
        attention_head_dim=4,
        down_block_types=("DownBlock2D", "CrossAttnDownBlock2D"),
        up_block_types=("CrossAttnUpBlock2D", "UpBlock2D"),
    )
    with torch.no_grad():
        out = unet(torch.ones(1, 4, 8, 8), torch.tensor(1), torch.ones(1, 5, 8)).sample
    if out.shape != (1, 4, 8, 8) or not torch.isfinite(out).all():
        raise RuntimeError(
            f"a small U-Net gave {tuple(out.shape)} with finite values {bool(torch.isfinite(out).all())}"
        )


def check_requirements() -> None:
    """Every installed package has the requirements it asks for."""
    done = subprocess.run([sys.executable, "-m", "pip", "check"], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"pip check: {done.stdout.strip()}")


def main() -> int:
    """Run every check; print the versions, or the reason of the failure."""
    try:
        versions = check_packages()
        check_arithmetic()
        check_requirements()
    except Exception as error:  # noqa: BLE001  # whatever broke is the answer
        print(f"{type(error).__name__}: {error}", file=sys.stderr)
        return 1
    print(f"works: {versions}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
