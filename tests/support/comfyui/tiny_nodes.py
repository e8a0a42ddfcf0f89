"""What the server of the tests loads as custom nodes: every checkpoint is the tiny model, and a node that gives a list.

It runs in ComfyUI's own process.
"""

from __future__ import annotations

import sys
from typing import Any

NAMES = ["v1-5-pruned-emaonly.safetensors", "v1-5-pruned-emaonly-fp16.safetensors", "sd_xl_base_1.0.safetensors"]


def replace_checkpoints() -> None:
    """Have ComfyUI's loader know the names of the workflows and load the tiny model for each."""
    from support.comfyui.tiny import checkpoint
    from support.tiny.stable_diffusion import tiny_stable_diffusion

    nodes: Any = sys.modules["nodes"]
    parts = checkpoint(tiny_stable_diffusion())
    nodes.CheckpointLoaderSimple.INPUT_TYPES = classmethod(lambda cls: {"required": {"ckpt_name": (NAMES,)}})
    nodes.CheckpointLoaderSimple.load_checkpoint = lambda self, ckpt_name: parts


class ListOfScales:
    """Two guidance scales as a list, of which ComfyUI makes an image each."""

    CATEGORY = "tests"
    FUNCTION = "give"
    RETURN_TYPES = ("FLOAT",)
    OUTPUT_IS_LIST = (True,)

    @classmethod
    def INPUT_TYPES(cls) -> dict[str, Any]:
        return {"required": {}}

    def give(self) -> tuple[list[Any]]:
        return ([5.0, 9.0],)


class ListOfPrompts(ListOfScales):
    """Two prompts as a list."""

    RETURN_TYPES = ("STRING",)
    PROMPTS = ("a red book and a yellow vase", "a dog and a cat")

    def give(self) -> tuple[list[Any]]:
        return (list(self.PROMPTS),)


NODE_CLASS_MAPPINGS = {"TestListOfPrompts": ListOfPrompts, "TestListOfScales": ListOfScales}
