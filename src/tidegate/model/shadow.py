"""Shadow traffic: a part of a strategy's calls is asked of a candidate, too, and nobody waits for it. Records.

Units are those of `model/snapshot.py`.
"""

from typing import Final

import msgspec

from tidegate.model.record import Record

PLAN: Final = "shadow:"  # before a strategy's name: the plan, tag, client and tenant of the calls to its candidate

LEXICAL: Final = "lexical"
EXACT: Final = "exact"

ANSWERED: Final = "answered"
FAILED: Final = "failed"
UNASKED: Final = "unasked"  # the day's money was spent, or the candidate's quota had no place


class ShadowPolicy(Record, frozen=True):
    """Who is tried out beside a strategy, on how many of its calls, and for how much."""

    model: str
    ppm: int  # of a million calls
    nano_day: int  # that its answers may cost, in billionths of the house currency
    concurrent: int = 4  # in a worker
    compare: str = LEXICAL
    agrees_permille: int = 800  # answers that are so much alike agree


class Compared(msgspec.Struct, frozen=True, array_like=True, gc=False, tag="s"):
    """A fact: what came of one call that was asked of a candidate, too. Costs are those of the ledger's records."""

    call_id: int  # of the client's
    shadow_id: int  # of the candidate's, 0 = there is none
    at_us: int
    strategy: str
    candidate: str
    state: str
    permille: int = 0  # how much alike the answers are
    agreed: bool = False
    primary_us: int = 0  # from the first attempt's leaving to the end, waits for quota not counted
    candidate_us: int = 0
    primary_nano: int = 0
    candidate_nano: int = 0
    primary_chars: int = 0  # of the answer's text
    candidate_chars: int = 0
