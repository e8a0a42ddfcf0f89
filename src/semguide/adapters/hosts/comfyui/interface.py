"""What all nodes say in ComfyUI's interface, and texts on nodes."""

from __future__ import annotations

import sys
from typing import Any

CATEGORY = "semguide"
CONCEPTS = "The concepts to keep, an entry each: of Decompose Prompt, Gather Concepts or ConditioningCombine."
PLAIN = "There is no concept: the picture will be one of plain guidance."
NO_GUIDANCE = (
    "The sampler has no unconditional prediction, as at a cfg of 1: the images are those without guidance. Take a cfg "
    "over 1, or a method that does without."
)
CONFINED = (
    "At a cfg of 1 nothing stands for a concept outside its area or mask: the images are those without concepts. Take "
    "a cfg over 1, or concepts of the whole picture."
)
Inputs = dict[str, Any]


def tell(node: str | None, text: object) -> None:
    """Show a text on a node where this ComfyUI can; nothing for None.

    Args:
        node: The node's id in the interface, None where it is not known.
        text: What to show; what is no text is shown as one.
    """
    server: Any = getattr(sys.modules.get("server"), "PromptServer", None)
    send = getattr(getattr(server, "instance", None), "send_progress_text", None)
    if node is not None and text is not None and send is not None:
        send(str(text), node)
