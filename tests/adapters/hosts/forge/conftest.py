"""The stand-in for ComfyUI: the two must agree."""

from adapters.hosts.comfyui.conftest import samplers

__all__ = ["samplers"]
