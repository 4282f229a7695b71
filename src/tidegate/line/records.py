"""The records of a call's way, kept apart from the modules that are compiled (see `policy/queue/records.py`)."""

from typing import TYPE_CHECKING

import msgspec

from tidegate.model.outcome import Usage
from tidegate.policy.queue.records import Candidate
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.charge import Charge

if TYPE_CHECKING:
    from tidegate.line.lane import Lane
    from tidegate.line.pool import Pool


class Pick(msgspec.Struct):
    """The pool to queue at and the predicted wait there (NEVER: too large for all of them)."""

    pool: "Pool[Lane]"
    charge: Charge
    wait_us: int
    full: bool = False  # no room to wait in, here or before the strategy's own bound
    answer_us: int = 0  # how long the answer itself will take
    queued: bool = False  # it is the pool's queue that lasts so long, not the quota alone nor the strategy's own bound

    def candidate(self, extra_us: int) -> Candidate:
        """As `policy.route` sees it; `extra_us` is the call's own back-off on this target."""
        wait = self.wait_us if self.wait_us == NEVER else max(self.wait_us, extra_us)
        return Candidate(wait, self.pool.tripped, self.full, self.answer_us)


class Ending(msgspec.Struct, frozen=True):
    """How a streamed answer ended. `lane`, `usage` and `charged` are its last attempt's, nothing where noted."""

    lane: "Lane | None"
    status: int
    usage: Usage
    charged: int
    gone: bool  # the client left
    failed: bool  # it broke after its first content
    headers: tuple[tuple[str, str], ...] = ()  # of its last attempt's reply, where that did not end well
