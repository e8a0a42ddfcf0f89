"""The nodes in ComfyUI's V3 schema, made of what their V1 classes say, and one that only V3 can have.

Where there is no such schema, or an older one without growing inputs, the V1 classes are the nodes.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from inspect import signature
from types import ModuleType
from typing import Any

from semguide.adapters.hosts.comfyui.catalog import display_names, node_classes
from semguide.adapters.hosts.comfyui.conditioning import Conditioning
from semguide.adapters.hosts.comfyui.encoding import GatherConcepts, gathered

GROWING, GROWING_NAME = "SemguideConceptsGrowing", "Gather Concepts (Growing)"
_MOST = 64
"""Most inputs of the node that grows."""
_RENAMED = {"dynamicPrompts": "dynamic_prompts"}


def latest_api() -> ModuleType | None:
    """Return ComfyUI's V3 interface, None where it has none with growing inputs."""
    try:
        api = import_module("comfy_api.latest")
    except ImportError:
        return None
    return api if hasattr(api, "ComfyExtension") and hasattr(api.io, "Autogrow") else None


def extension(api: Any) -> Any:
    """Return the extension with all nodes.

    Args:
        api: What `latest_api` returns.
    """

    async def get_node_list(self: Any) -> list[type[Any]]:
        del self
        return v3_nodes(api.io)

    return type("SemguideExtension", (api.ComfyExtension,), {"get_node_list": get_node_list})()


def v3_nodes(io: Any) -> list[type[Any]]:
    """Return every node as a class of ComfyUI's."""
    return [*(_converted(name, node, io) for name, node in node_classes().items()), _growing(io)]


def _converted(name: str, node: Any, io: Any) -> type[Any]:
    """Return the V3 class of a V1 class."""
    takes_id = "unique_id" in node.INPUT_TYPES().get("hidden", {})

    def define_schema(cls: Any) -> Any:
        del cls
        given = node.INPUT_TYPES()
        return io.Schema(
            node_id=name,
            display_name=display_names()[name],
            category=node.CATEGORY,
            description=node.DESCRIPTION,
            inputs=[
                _input(each, declared, kind == "optional", io)
                for kind in ("required", "optional")
                for each, declared in given.get(kind, {}).items()
            ],
            outputs=_outputs(node, io),
            hidden=[io.Hidden.unique_id] if takes_id else [],
        )

    def execute(cls: Any, **inputs: Any) -> Any:
        known = {"unique_id": cls.hidden.unique_id} if takes_id else {}
        return io.NodeOutput(*getattr(node(), node.FUNCTION)(**inputs, **known))

    members: dict[str, Any] = {"define_schema": classmethod(define_schema), "execute": classmethod(execute)}
    if hasattr(node, "VALIDATE_INPUTS"):
        members["validate_inputs"] = classmethod(_check_of(node))
    return type(node.__name__, (io.ComfyNode,), {**members, "__doc__": node.__doc__})


def _check_of(node: Any) -> Callable[..., bool | str]:
    """Return the check of a node; ComfyUI passes it the inputs that its signature names."""

    def check(cls: Any, **values: Any) -> bool | str:
        del cls
        return node.VALIDATE_INPUTS(**values)

    check.__signature__ = signature(node.VALIDATE_INPUTS.__func__)  # type: ignore[attr-defined]
    return check


def _input(name: str, declared: tuple[Any, ...], optional: bool, io: Any) -> Any:
    """Return an input; what its V1 form says of a widget has nearly the same names."""
    kind = declared[0]
    told: dict[str, Any] = declared[1]
    options = {_RENAMED.get(key, key): value for key, value in told.items()}
    if isinstance(kind, list):
        return io.Combo.Input(name, options=kind, optional=optional, **options)
    widgets = {"INT": io.Int, "FLOAT": io.Float, "STRING": io.String, "BOOLEAN": io.Boolean}
    return (widgets.get(kind) or io.Custom(kind)).Input(name, optional=optional, **options)


def _outputs(node: Any, io: Any) -> list[Any]:
    described = zip(node.RETURN_TYPES, node.RETURN_NAMES, node.OUTPUT_TOOLTIPS, strict=True)
    return [io.Custom(kind).Output(display_name=name, tooltip=tip) for kind, name, tip in described]


def _growing(io: Any) -> type[Any]:
    """Return the node with an input more for each that is connected."""

    def define_schema(cls: Any) -> Any:
        del cls
        entry = io.Conditioning.Input("concept", tooltip="A concept, encoded alone.")
        names = [f"concept_{number}" for number in range(1, _MOST + 1)]
        return io.Schema(
            node_id=GROWING,
            display_name=GROWING_NAME,
            category=GatherConcepts.CATEGORY,
            description=GatherConcepts.DESCRIPTION,
            inputs=[io.Autogrow.Input("concepts", template=io.Autogrow.TemplateNames(entry, names=names, min=0))],
            outputs=_outputs(GatherConcepts, io),
        )

    def execute(cls: Any, concepts: dict[str, Conditioning] | None = None) -> Any:
        del cls
        return io.NodeOutput(gathered({name: each for name, each in (concepts or {}).items() if each is not None}))

    members: dict[str, Any] = {"define_schema": classmethod(define_schema), "execute": classmethod(execute)}
    return type("GrowingConcepts", (io.ComfyNode,), {**members, "__doc__": "Any number of concepts."})
