"""What the exchange with the shared state (`cluster/lease_exchanger.py`) needs of each fund of a worker."""

from collections.abc import Callable
from typing import Final, Protocol

from tidegate.model.cluster import ExchangeReply, ExchangeRequest


class Footing:
    """How this worker stands to the shared state, as of its last beat. One a worker; who spends reads it. O(1)."""

    __slots__ = (
        "heard_at", "incarnation", "keeps", "member", "mode", "open_ppm", "part_until", "server_us", "share_ppm",
        "state", "taken_us",
    )  # fmt: skip

    def __init__(self, member: str, incarnation: int) -> None:
        self.member = member
        self.incarnation = incarnation
        self.mode = JOINING
        self.heard_at = 0  # when the last answered beat was sent, monotonic
        self.server_us = 0  # the least that the server's clock can have shown then
        self.taken_us = 0  # what the server's clock showed when it took that beat
        self.state = 0
        self.share_ppm = 0
        self.open_ppm = 0
        self.keeps = False  # some limit goes on with its share in silence, though the cluster's policy is another
        self.part_until = 0  # in silence: others count on its share from about then on

    def mode_of(self, on_loss: str, now: int) -> int:
        """As a limit stands that has a word of its own for silence; "" = as the cluster says.

        A part that the others do not count on is none: such a limit is closed.
        """
        mode = self.mode
        if not on_loss or mode <= SHARED:
            return mode
        if on_loss == ON_LOSS_LOCAL:
            return LOCAL if now < self.part_until else CLOSED
        return OPEN if on_loss == ON_LOSS_OPEN else CLOSED

    def server(self, now: int) -> int:
        """What the server's clock shows at least, as far as is known."""
        return self.server_us + now - self.heard_at


ON_LOSS_LOCAL: Final = "local"
ON_LOSS_OPEN: Final = "open"  # any other word closes

JOINING = 0  # nothing was heard yet
SHARED = 1  # exchanges decide
LOCAL = 2  # nothing was heard for `LOCAL_US`: its share, until `share_us`
CLOSED = 3  # nothing may be spent: by policy, or its share has run out
OPEN = 4  # nothing shared is limited: by policy


class LeasedBucket(Protocol):
    """A worker's side of one fund: `policy.lease.wallet.LeaseClient`. Pure; moments are monotonic microseconds."""

    key: str  # of its value in Redis, with its hash tag in braces: everything of one scope has one tag
    posted: bool  # nothing that was spent on a share is still to be told: `Beat.back` when that holds for all funds

    def ask(self, footing: Footing, now: int) -> ExchangeRequest | None:
        """What to say now; None: nothing. It is not asked again before `told` or `unheard`."""

    def told(self, told: ExchangeReply, sent_at: int, now: int) -> None:
        """The answer to the last `ask`."""

    def unheard(self, now: int) -> None:
        """Nobody knows whether the last `ask` was heard: the next one is the same, under the same `seq`."""

    def due(self, now: int) -> int:
        """When it has something to say at the latest: monotonic, `ALWAYS` = never of itself."""

    def turned(self, footing: Footing, now: int) -> None:
        """`footing.mode` is another one."""

    def listen(self, wanted: Callable[[], None]) -> None:
        """Call this when it has something to say earlier than `due` said."""


class Funds(Protocol):
    """Who makes the exchanges of a worker's funds: `cluster.keeper.LeaseExchanger`."""

    @property
    def prefix(self) -> str:
        """Of all keys: `ClusterSettings.prefix`."""

    def open(self, fund: LeasedBucket) -> None:
        """From now on this one too; it is told how this worker stands (`turned`), and `listen`s."""

    def close(self, fund: LeasedBucket) -> None:
        """No more; what it holds lapses."""
