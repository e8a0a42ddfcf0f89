"""A node for each method, with a widget for each of its parameters; what it says goes into `settings` of the others."""

from __future__ import annotations

import json
from typing import Any, ClassVar

from semguide.adapters.hosts.comfyui.interface import CATEGORY, Inputs
from semguide.adapters.hosts.rules import host_parameters, hosted
from semguide.errors import InvalidArgument
from semguide.guidance import METHODS
from semguide.guidance.parameters import Parameter

_MOST = 10_000
"""Largest value of a widget whose parameter has no bound."""


class Parameters:
    """The parameters of a method as JSON.

    Attributes:
        METHOD: The method.
    """

    METHOD: ClassVar[str]
    CATEGORY: ClassVar[str] = f"{CATEGORY}/parameters"
    DESCRIPTION: ClassVar[str]
    FUNCTION: ClassVar[str] = "write"
    RETURN_TYPES: ClassVar[tuple[str, ...]] = ("STRING",)
    RETURN_NAMES: ClassVar[tuple[str, ...]] = ("settings",)
    OUTPUT_TOOLTIPS: ClassVar[tuple[str, ...]] = ("For the input settings of Semantic Guidance with the same method.",)

    @classmethod
    def INPUT_TYPES(cls) -> Inputs:
        """Return a widget for each parameter."""
        return {"required": {each.name: _widget(each) for each in parameters_beside_strength(cls.METHOD)}}

    @classmethod
    def VALIDATE_INPUTS(cls, **values: Any) -> bool | str:
        """Return True, or why ComfyUI shall not begin; an input that another node gives is not known yet."""
        try:
            METHODS[cls.METHOD](**cls._read({name: value for name, value in values.items() if value is not None}))
        except InvalidArgument as error:
            return str(error)
        return True

    def write(self, **values: Any) -> tuple[str]:
        """Return the settings."""
        read = self._read(values)
        METHODS[self.METHOD](**read)
        return (json.dumps({"method": self.METHOD, **read}),)

    @classmethod
    def _read(cls, values: dict[str, Any]) -> dict[str, Any]:
        known = {each.name: each for each in parameters_beside_strength(cls.METHOD)}
        return {name: _value(known[name], value) for name, value in values.items()}


def parameters_beside_strength(method: str) -> list[Parameter]:
    """List the parameters of a method that the other nodes have no widget for."""
    return [each for each in host_parameters(method) if not each.strength]


def parameter_nodes() -> dict[str, type[Parameters]]:
    """Return a node for each method that has such parameters, by the node's id."""
    return {
        f"SemguideParameters{''.join(part.capitalize() for part in name.split('-'))}": _node(name)
        for name in hosted()
        if name == METHODS[name].name and parameters_beside_strength(name)
    }


def _node(method: str) -> type[Parameters]:
    described = f"A widget for each parameter of {method}, besides its strength."
    return type(f"{METHODS[method].__name__}Parameters", (Parameters,), {"METHOD": method, "DESCRIPTION": described})


def _widget(parameter: Parameter) -> tuple[Any, ...]:
    options: dict[str, Any] = {"default": parameter.default, "tooltip": f"{parameter.help} {parameter.values}."}
    if parameter.type == "boolean":
        return ("BOOLEAN", options)
    if parameter.type == "string" and parameter.choices:
        return (list(parameter.choices), options)
    if parameter.type == "string" or parameter.choices:  # a number or a word: what is written says which
        return ("STRING", {**options, "default": str(parameter.default)})
    options["min"] = -_MOST if parameter.low is None else parameter.low
    options["max"] = _MOST if parameter.high is None else parameter.high
    if parameter.type == "integer":
        return ("INT", {**options, "min": int(options["min"]), "max": int(options["max"])})
    return ("FLOAT", {**options, "step": 0.05 if options["max"] <= 1 else 0.1, "round": 0.001})


def _value(parameter: Parameter, value: Any) -> Any:
    """Return the value of a widget; numbers that were written become numbers, what is none is the rule's to refuse."""
    if parameter.type in ("number", "integer") and isinstance(value, str) and value not in parameter.choices:
        try:
            value = float(value)
        except ValueError:
            parameter.check(value)
    return value
