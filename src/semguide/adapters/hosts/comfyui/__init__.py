"""Nodes for ComfyUI. Nothing of ComfyUI's code is here, and nothing of it is imported before a node runs in it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    NODE_CLASS_MAPPINGS: dict[str, Any]
    NODE_DISPLAY_NAME_MAPPINGS: dict[str, str]

__all__ = ["NODE_CLASS_MAPPINGS", "NODE_DISPLAY_NAME_MAPPINGS"]


def __getattr__(name: str) -> Any:
    """Return the nodes, once they are asked for: which there are depends on the methods, to which packages add."""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from semguide.adapters.hosts.comfyui import catalog

    return catalog.node_classes() if name == "NODE_CLASS_MAPPINGS" else catalog.display_names()
