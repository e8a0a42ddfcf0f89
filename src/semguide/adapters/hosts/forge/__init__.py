"""Stable Diffusion WebUI Forge. The script that it loads is in the folder `extension`; nothing of its code is here."""

from pathlib import Path

from semguide.adapters.hosts.forge.patch import ForgeSampling

EXTENSION = Path(__file__).with_name("extension")
"""The folder to copy into Forge's `extensions`."""

__all__ = ["EXTENSION", "ForgeSampling"]
