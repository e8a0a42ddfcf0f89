"""`decompose`: a prompt to its subject concepts, by a back end's name or by the caller's own object."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, Protocol, cast, runtime_checkable

from semguide.concepts.lexicon.decomposer import LexiconDecomposer
from semguide.concepts.lexicon.language import is_english
from semguide.concepts.lexicon.tokens import tokenize
from semguide.concepts.llm import LLMDecomposer
from semguide.concepts.spacy import SpacyDecomposer
from semguide.concepts.spans import clean
from semguide.errors import InvalidArgument
from semguide.types import Concept


@runtime_checkable
class Decomposer(Protocol):
    """Anything that turns a prompt into concepts; give one to `decompose` or `steer` as the back end."""

    def decompose(self, prompt: str) -> Sequence[Concept]:
        """Returns the subject concepts of one prompt, in its order; an empty sequence where there are none."""
        ...


_REMEDY: Final = "name the concepts, or use the llm back end"
BACKENDS: Final[dict[str, type[LexiconDecomposer] | type[SpacyDecomposer] | type[LLMDecomposer]]] = {
    "lexicon": LexiconDecomposer,
    "spacy": SpacyDecomposer,
    "llm": LLMDecomposer,
}


def decompose(prompt: str, backend: str | Decomposer = "lexicon") -> list[Concept]:
    """Splits a prompt into its subject concepts (c_k of docs/method.md, the noun phrases).

    Args:
        prompt: Any text, of any length; empty, markup, emoji and other languages give no concept rather than an error.
        backend: "lexicon" (offline, English), "spacy", "llm", or an object with a method `decompose`.

    Returns:
        The concepts in the order of the prompt, spans disjoint; `prompt[start:end] == text` but for the weights of
        prompt syntaxes, which `text` leaves out. [] where there is none; `why_none` says why.

    Raises:
        InvalidArgument: `prompt` is no string, `backend` is unknown, or the back end is not set up.
        MissingExtra: the back end's package is not installed.
        SemguideError: the back end's service failed.

    Example:
        >>> [concept.text for concept in decompose("a red book and a yellow vase")]
        ['a red book', 'a yellow vase']
    """
    if not isinstance(cast(Any, prompt), str):
        raise InvalidArgument("prompt", "must be a string", prompt, "call decompose once per prompt")
    return _checked(prompt, _backend(backend).decompose(prompt))


def why_none(prompt: str, *, looked: bool = False) -> str:
    """Says why no concept is found in a prompt, and what helps, as one sentence to show.

    Args:
        prompt: The prompt.
        looked: Whether a back end has found none already; otherwise the lexicon back end looks.

    Returns:
        The sentence; "" where there are concepts.
    """
    if not looked and decompose(prompt):
        return ""
    if not prompt.strip():
        return "the prompt is empty; type one"
    if not is_english(prompt, tokenize(prompt)):
        return f"no concepts in this prompt: English only; {_REMEDY}"
    return f"no concepts found in this prompt; {_REMEDY}"


def _backend(backend: str | Decomposer) -> Decomposer:
    if isinstance(backend, str):
        if backend not in BACKENDS:
            raise InvalidArgument("backend", f"must be one of {', '.join(BACKENDS)}", backend)
        return BACKENDS[backend]()
    if isinstance(cast(Any, backend), type) or not isinstance(cast(Any, backend), Decomposer):
        rule = f"must be one of {', '.join(BACKENDS)} or an object with a method decompose"
        raise InvalidArgument("backend", rule, backend)
    return backend


def _checked(prompt: str, concepts: Sequence[Concept]) -> list[Concept]:
    found = cast(Any, concepts)
    if not isinstance(found, Sequence) or not all(isinstance(item, Concept) for item in cast(Sequence[Any], found)):
        raise InvalidArgument("backend", "must return a list of Concepts", found, "see semguide.types.Concept")
    last = 0
    for concept in concepts:
        start, end = concept.span or (last, last)
        if concept.span and (start < last or concept.text not in {prompt[start:end], clean(prompt[start:end])}):
            raise InvalidArgument(
                "backend",
                "must return concepts in order with prompt[start:end] == text",
                concept,
                "set span to None for a phrase that is not in the prompt",
            )
        last = end
    return list(concepts)
