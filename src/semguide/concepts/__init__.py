"""Prompt to subject concepts: "a red book and a yellow vase" -> "a red book", "a yellow vase". No torch here.

`decompose` reads a prompt with one of three back ends (`lexicon`, offline and the default; `spacy`; `llm`);
`as_concepts` takes the concepts from the caller instead. Importing this package loads no tagger; the first
`decompose` does.
"""

from semguide.concepts.decomposer import BACKENDS, Decomposer, decompose, why_none
from semguide.concepts.lexicon.decomposer import LexiconDecomposer
from semguide.concepts.llm import LLMDecomposer
from semguide.concepts.manual import as_concepts
from semguide.concepts.spacy import SpacyDecomposer

__all__ = [
    "BACKENDS",
    "Decomposer",
    "LLMDecomposer",
    "LexiconDecomposer",
    "SpacyDecomposer",
    "as_concepts",
    "decompose",
    "why_none",
]
