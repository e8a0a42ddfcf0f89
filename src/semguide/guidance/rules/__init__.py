"""One guidance rule per file."""

from semguide.guidance.rules.cfg import CFG
from semguide.guidance.rules.sgt import SGT
from semguide.guidance.rules.sgt_v1 import SGTv1
from semguide.guidance.rules.sgt_v2 import SGTv2

__all__ = ["CFG", "SGT", "SGTv1", "SGTv2"]
