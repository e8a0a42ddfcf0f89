"""The folder that goes into ComfyUI's custom_nodes; the nodes themselves come from the installed package."""

from semguide.adapters.comfyui import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
