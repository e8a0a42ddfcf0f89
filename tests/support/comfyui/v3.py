"""What the nodes use of ComfyUI's V3 schema, written from its behaviour in versions 0.8.0 to 0.33.0."""

from __future__ import annotations

import sys
import types
from dataclasses import dataclass, field
from typing import Any

import pytest


class Input:
    """An input; it takes no more options than ComfyUI's does."""

    kind = ""
    options: frozenset[str] = frozenset()

    def __init__(self, id: str, *, optional: bool = False, tooltip: str | None = None, **options: Any) -> None:
        assert set(options) <= self.options, f"{type(self).__qualname__} takes no {set(options) - self.options}"
        self.id, self.optional, self.told = id, optional, {**options, "tooltip": tooltip}


class Output:
    kind = ""

    def __init__(self, *, display_name: str, tooltip: str) -> None:
        self.display_name, self.tooltip = display_name, tooltip


def kind_of(name: str, *options: str) -> Any:
    """Return the class of a kind of value."""
    members = {"kind": name, "options": frozenset(options)}
    return types.SimpleNamespace(Input=type("Input", (Input,), members), Output=type("Output", (Output,), members))


class TemplateNames:
    def __init__(self, entry: Any, *, names: list[str], min: int) -> None:
        self.entry, self.names, self.min = entry, names, min


@dataclass
class Schema:
    node_id: str
    display_name: str
    category: str
    inputs: list[Any]
    outputs: list[Any]
    description: str = ""
    hidden: list[str] = field(default_factory=list)


class ComfyNode:
    hidden: Any = None


class NodeOutput:
    def __init__(self, *result: Any) -> None:
        self.result = result


def io() -> Any:
    """Return the stand-in of comfy_api.latest.io."""
    numbers = ("default", "min", "max", "step")
    return types.SimpleNamespace(
        Int=kind_of("INT", *numbers),
        Float=kind_of("FLOAT", *numbers, "round"),
        String=kind_of("STRING", "default", "multiline", "dynamic_prompts"),
        Boolean=kind_of("BOOLEAN", "default"),
        Combo=kind_of("COMBO", "default", "options"),
        Conditioning=kind_of("CONDITIONING"),
        Custom=kind_of,
        Autogrow=types.SimpleNamespace(Input=kind_of("AUTOGROW", "template").Input, TemplateNames=TemplateNames),
        Hidden=types.SimpleNamespace(unique_id="UNIQUE_ID"),
        Schema=Schema,
        ComfyNode=ComfyNode,
        NodeOutput=NodeOutput,
    )


def install(patch: pytest.MonkeyPatch, **changed: Any) -> Any:
    """Put the stand-in in the place of ComfyUI's V3 interface; returns it."""
    api = types.ModuleType("comfy_api.latest")
    vars(api).update({"io": io(), "ComfyExtension": type("ComfyExtension", (), {}), **changed})
    package = types.ModuleType("comfy_api")
    patch.setitem(sys.modules, "comfy_api", package)
    patch.setitem(sys.modules, "comfy_api.latest", api)
    return api
