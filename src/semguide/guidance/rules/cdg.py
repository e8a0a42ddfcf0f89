"""Condition-Degradation Guidance: away from the prompt with its content nulled."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from semguide.guidance.citations import CDG_PAPER
from semguide.guidance.parameters import parameter
from semguide.guidance.rules.cfg import CFG


@dataclass(frozen=True)
class CDG(CFG):
    """Condition-Degradation Guidance (arXiv 2603.10780): guide away from the prompt with its content tokens nulled.

    The encoded prompt P loses its content tokens to those of the empty prompt at the same places, which gives D;
    padding, which has taken up the sense of the whole prompt, and pooled embeddings stay those of P. At every step:

        out = e(D) + w (e(P) - e(D))

    As published (its equation 11 at the default degradation of 1) every token that is not padding is nulled, the start
    token and the first end token too, and w is the model's usual guidance scale. Left out: degrading only some of the
    content or some of the padding, for which the paper ranks tokens by their attention, and its first transformer
    block, which on MMDiT models still reads P.

    It is classifier-free guidance but for the reference, and costs 2 evaluations a step; a full trace counts p and s_k
    from e(D).
    """

    degraded: Literal["prompt", "concepts"] = parameter(
        "prompt", 'Which tokens are nulled: "prompt" as published, "concepts" only those of the concepts\' phrases.'
    )

    name: ClassVar[str] = "cdg"

    @property
    def null_tokens(self) -> Literal["prompt", "concepts"]:
        """What is degraded."""
        return self.degraded

    @property
    def is_noop(self) -> bool:
        """Never: no correction is added, but e(0) is another one."""
        return False

    @classmethod
    def citation(cls) -> str:
        """Return the BibTeX entry of Condition-Degradation Guidance."""
        return CDG_PAPER
