"""What calls that wait for their turn will take of quotas: told by a worker to its successor, which takes it as spent.

So both serve beside each other from one quota: the predecessor spends for those who wait there what it has and what
comes back, and of the same the successor has what is left behind them. It is as if all waited in one queue.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final

import msgspec

from tidegate.line.lane import Lane
from tidegate.line.pool import Pool
from tidegate.policy.queue.waiting import Waiting
from tidegate.policy.quota.allowance import NEVER, Allowance
from tidegate.policy.quota.quota import Charge

NAME: Final = "owed.json"


class Owed(msgspec.Struct, frozen=True):
    """Of one lane: calls, tokens, and when the last of them has had its turn, from now."""

    requests: int = 0
    tokens: int = 0
    wait_us: int = 0


NONE: Final = Owed()
_decode = msgspec.json.Decoder(dict[str, Owed]).decode
_encode = msgspec.json.Encoder().encode


def owed_at(pools: Iterable[Pool[Lane]], now: int) -> dict[str, Owed]:
    """By `Lane.key`. What waits in a pool goes by its lanes as fast as each of them is refilled. O(waiting + lanes)."""
    found: dict[str, Owed] = {}
    for pool in pools:
        waiting = [ticket for ticket in pool.dispatcher.scheduler if isinstance(ticket, Waiting)]
        if not waiting:
            continue
        tokens = sum(max(0, ticket.charge.tokens) for ticket in waiting)
        lanes = tuple(pool.lanes)
        of_requests = _parts(len(waiting), [lane.quota.requests for lane in lanes])
        of_tokens = _parts(tokens, [lane.quota.tokens for lane in lanes])
        for at, lane in enumerate(lanes):
            before = found.get(lane.key, NONE)  # it may be in another pool, too
            calls, units = before.requests + of_requests[at], before.tokens + of_tokens[at]
            wait = lane.quota.wait(Charge(0), now, calls, units)
            found[lane.key] = Owed(calls, units, 0 if wait == NEVER else wait)
    return found


def _parts(amount: int, limits: list[tuple[Allowance, ...]]) -> list[int]:
    """Of what waits, by how fast each is refilled; rounded up."""
    rates = [min((allowed.rate() for allowed in found), default=0.0) for found in limits]
    whole = sum(rates)
    return [-int(-amount * rate // whole) if whole else 0 for rate in rates]


def leave(own: Path, owed: Mapping[str, Owed]) -> None:
    """For the successor. Raises `OSError`."""
    (own / NAME).write_bytes(_encode(owed))


def left_by(before: Path | None) -> Mapping[str, Owed]:
    """What the predecessor told; nothing where there is none, or it is of an older version."""
    try:
        return {} if before is None else _decode((before / NAME).read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}
