"""The help page of each node, which ComfyUI shows beside it; `python -m` this module writes them into the pack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from semguide.adapters.hosts.comfyui.catalog import display_names, node_classes
from semguide.adapters.hosts.comfyui.encoding import GatherConcepts
from semguide.adapters.hosts.comfyui.install import PACK
from semguide.adapters.hosts.comfyui.schema import GROWING, GROWING_NAME

DOCS = PACK / "web" / "docs"
_CONDITIONS = """A concept with an area, a mask or a range of steps is not evaluated outside of it, and corrects nothing
there. What all parts of the prompt carry, such as a ControlNet, applies to the concepts too, unless they carry their
own."""
_GUIDED = f"""Each concept is compared with the prompt's guidance at every step of the method's window, which costs one
evaluation of the model more for each concept there. At a cfg of 1, for checkpoints of a few steps (Turbo, Lightning,
LCM, schnell), sgt-balanced compares the concepts with each other. Without concepts and with a strength of 0 the picture
is that of plain guidance; where that was not asked for, the node says so.

{_CONDITIONS}"""
_DECOMPOSED = """Concepts are the noun phrases of an English prompt, found without any download. For other languages, or
to choose them yourself, write them one a line. Emphasis such as `(red:1.2)` is read in your own lines."""
NOTES = {
    "SemguideGuider": f"Connect it to the input `guider` of SamplerCustomAdvanced.\n\n{_GUIDED}",
    "SemguideModel": f"Connect it to the input `model` of KSampler; cfg and prompts are its own.\n\n{_GUIDED} "
    "Only a ControlNet or GLIGEN of a concept's own is refused here: put it on the prompt, or take the guider.",
    "SemguideRetries": """It takes the place of SamplerCustomAdvanced. A seed whose score reaches the threshold is drawn
to its end: that is the picture of SamplerCustomAdvanced with this seed, to the bit. If none reaches it, the best one is
finished. A seed that is dropped costs the first two fifths of its steps.

All pictures of a batch begin together; one that is tried again is drawn alone, with the noise that the next seed has in
its place, as after Latent From Batch. Its batch is drawn to the end if another picture of it is good enough.

The node draws once, and says why, with fewer than two concepts, at a cfg of 1, where a concept has an area, a mask or
a range of steps, with a noise mask, with noise that does not follow a seed, and where a conditioning has something for
each picture of a batch. On a patched model the best seed is drawn from its first step, where otherwise it goes on. A
sampler that does not do the same twice is told, too. KSampler takes no guider: draw with this node instead.""",
    "SemguideDecompose": _DECOMPOSED,
    "SemguideDecomposeSDXL": f"A concept is the same text for both encoders.\n\n{_DECOMPOSED}",
    "SemguideDecomposeFlux": "A concept is the same text for both encoders. Flux needs a negative prompt and a cfg "
    f"over 1 here, which double its cost.\n\n{_DECOMPOSED}",
    "SemguideConcepts": _CONDITIONS,
    GROWING: f"It has an input more for each that is connected.\n\n{_CONDITIONS}",
    "SemguideTrajectory": """A line for each concept: its similarity to the prompt's guidance, NaN where it was not
evaluated. Where the background is shaded, the concept was corrected. The trace is that of the guider's last run: give
each sampler a guider of its own.""",
}


def help_page(name: str) -> str:
    """Return the help page of a node, in Markdown.

    Args:
        name: The node's id.
    """
    if name == GROWING:
        return _page(GROWING_NAME, GatherConcepts, {"concept_1 ...": ("CONDITIONING", _ENTRY)}, NOTES[GROWING])
    node = node_classes()[name]
    declared = node.INPUT_TYPES()
    note = NOTES.get(name, "Connect it to the input `settings` of Semantic Guidance with the same method.")
    return _page(display_names()[name], node, {**declared["required"], **declared.get("optional", {})}, note)


def write_help_pages(folder: Path = DOCS) -> None:
    """Write the help pages of all nodes that semguide itself has."""
    folder.mkdir(parents=True, exist_ok=True)
    for name in [*node_classes(), GROWING]:
        (folder / f"{name}.md").write_text(help_page(name), encoding="utf-8")


_ENTRY = {"tooltip": "A concept, encoded alone."}


def _page(title: str, node: Any, inputs: dict[str, Any], note: str) -> str:
    rows = [f"| `{name}` | {_kind(given)} | {_told(given[1])} |" for name, given in inputs.items()]
    outputs = [
        f"| `{name}` | {kind} | {tip} |"
        for name, kind, tip in zip(node.RETURN_NAMES, node.RETURN_TYPES, node.OUTPUT_TOOLTIPS, strict=True)
    ]
    paragraph = "\n\n".join(" ".join(part.split()) for part in note.split("\n\n"))
    head = "| {} | Type | |\n|---|---|---|"
    tables = ["\n".join([head.format("Input"), *rows]), "\n".join([head.format("Output"), *outputs])]
    return "\n\n".join([f"# {title}", node.DESCRIPTION, *tables, paragraph]) + "\n"


def _kind(given: tuple[Any, ...]) -> str:
    return "choice" if isinstance(given[0], list) else given[0]


def _told(options: dict[str, Any]) -> str:
    """Return the tooltip on one line, with the default."""
    told = "<br>".join(options["tooltip"].replace("|", "\\|").splitlines())
    default = options.get("default", "")
    return told if default == "" else f"{told} Default: {default}."


if __name__ == "__main__":
    write_help_pages()
