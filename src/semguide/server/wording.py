"""What clients of the API call the arguments: the fields of a request, in the place of Python's names."""

from __future__ import annotations

from semguide.errors import InvalidArgument, SemguideWarning
from semguide.server.request_schemas import Options

FIELDS = {
    **{name: f"semguide.{name}" for name in Options.model_fields},
    "num_inference_steps": "semguide.steps",
    "settings": "semguide.parameters",
    "num_images": "n",
    "height": "size (height)",
    "width": "size (width)",
}
"""The field of each argument that has another name in a request."""


def field_of(argument: str) -> str:
    """Return what a client calls an argument."""
    return FIELDS.get(argument, argument)


def param_of(error: InvalidArgument) -> str:
    """Return the field of a request that an error is about."""
    return field_of(error.argument).partition(" ")[0]


def sentence_of(problem: Exception) -> str:
    """Return the sentence of an error or a warning, with the names that clients use."""
    return problem.worded(field_of) if isinstance(problem, InvalidArgument | SemguideWarning) else str(problem)
