"""One guidance rule per file."""

from semguide.guidance.rules.apg import APG
from semguide.guidance.rules.balanced_sgt import BalancedSGT
from semguide.guidance.rules.cdg import CDG
from semguide.guidance.rules.cfg import CFG
from semguide.guidance.rules.cfg_zero_star import CFGZeroStar
from semguide.guidance.rules.co3 import CO3Composition
from semguide.guidance.rules.composable import Composable
from semguide.guidance.rules.perp_neg import PerpNeg
from semguide.guidance.rules.personalization import Personalization
from semguide.guidance.rules.sega import SEGA
from semguide.guidance.rules.sgt_v1 import SGTv1
from semguide.guidance.rules.sgt_v2 import SGTv2

SGT = BalancedSGT
"""Short for the default, `BalancedSGT`. It stands for no form of the paper's method: those are `SGTv1` and `SGTv2`."""

__all__ = [
    "APG",
    "CDG",
    "CFG",
    "SEGA",
    "SGT",
    "BalancedSGT",
    "CFGZeroStar",
    "CO3Composition",
    "Composable",
    "PerpNeg",
    "Personalization",
    "SGTv1",
    "SGTv2",
]
