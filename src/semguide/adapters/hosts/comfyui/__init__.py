"""Nodes for ComfyUI. Nothing of ComfyUI's code is here, and nothing of it is imported before a node runs in it."""

from semguide.adapters.hosts.comfyui.nodes import NODE_CLASS_MAPPINGS, NODE_DISPLAY_NAME_MAPPINGS

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]
