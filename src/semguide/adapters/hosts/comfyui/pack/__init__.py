"""The folder that goes into ComfyUI's custom_nodes; the nodes themselves come from the installed package.

A ComfyUI with growing inputs asks `comfy_entrypoint` for the nodes, an older one the mappings.
"""

from semguide.adapters.hosts.comfyui import NODE_CLASS_MAPPINGS as _CLASSES
from semguide.adapters.hosts.comfyui import NODE_DISPLAY_NAME_MAPPINGS as _NAMES
from semguide.adapters.hosts.comfyui.schema import extension, latest_api

_API = latest_api()
NODE_CLASS_MAPPINGS = None if _API else _CLASSES
NODE_DISPLAY_NAME_MAPPINGS = None if _API else _NAMES
WEB_DIRECTORY = "./web"

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS", "WEB_DIRECTORY", "comfy_entrypoint"]


async def comfy_entrypoint():
    """Return the nodes in the V3 schema."""
    return extension(_API)
