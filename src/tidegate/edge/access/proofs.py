"""Nonces over all workers: what let a request in at one of them lets none in at another.

A worker refuses by itself what it has seen (`signatures.py`), when the head is there. Here the others are asked, once
the signature was right and before the request is let in: one exchange with the shared state, for signed requests only.

Without the shared state it is `on_state_loss` that decides. `closed`: signed requests are refused. Else they are let
in, and a nonce may be used once at each worker until the state is back; then it hears of those that were used
meanwhile, as many as `MAX_UNTOLD`.
"""

import asyncio
import logging
from collections import deque
from typing import Final

from tidegate.edge.access.door import Turned
from tidegate.edge.access.signatures import REPLAYED, TOO_OLD, Nonce
from tidegate.model.errors import Problem, ProblemKind
from tidegate.policy.access.nonces import FORGOTTEN, FRESH
from tidegate.ports import Clock, SharedValues, StoreError

_log = logging.getLogger(__name__)

MAX_UNTOLD: Final = 65_536
_BESIDE_US: Final = 60_000_000  # so far apart the clocks of two workers may be
_AWAY: Final = Problem(
    ProblemKind.UNAVAILABLE,
    "The gate's shared state is away, so nobody can tell whether this signature was used at another worker, and "
    "`cluster.on_state_loss` is closed. Sign the request anew and try again.",
)


class Proofs:
    """One a worker of a cluster."""

    __slots__ = ("_clock", "_loop", "_shared", "_telling", "_untold")

    def __init__(self, shared: SharedValues, clock: Clock, loop: asyncio.AbstractEventLoop) -> None:
        self._shared = shared
        self._clock = clock
        self._loop = loop
        self._untold: deque[Nonce] = deque(maxlen=MAX_UNTOLD)
        self._telling: asyncio.Task[None] | None = None

    async def use(self, nonce: Nonce) -> None:
        """It is used, if it was not yet, wherever. Raises `Turned`."""
        try:
            verdict = await self._shared.use(nonce.mark, nonce.created_us, self._life(nonce))
        except StoreError as error:
            if self._shared.closed:
                _log.warning("signed requests are refused: %s", error)
                raise Turned(_AWAY, "nonces") from None
            self._untold.append(nonce)
            return
        if self._untold and self._telling is None:
            self._telling = self._loop.create_task(self._tell())
        if verdict != FRESH:
            words = TOO_OLD if verdict == FORGOTTEN else REPLAYED
            raise Turned(Problem(ProblemKind.BAD_SIGNATURE, words, "signature"), "signature")

    async def _tell(self) -> None:
        """What was used while the shared state was away."""
        untold = self._untold
        try:
            while untold:
                nonce = untold[0]
                life = self._life(nonce)
                if life > 0:
                    await self._shared.use(nonce.mark, nonce.created_us, life)
                if untold and untold[0] is nonce:
                    untold.popleft()
        except StoreError:
            pass  # it is away again: with the next signature that it hears of
        finally:
            self._telling = None

    def _life(self, nonce: Nonce) -> int:
        """Microseconds until no worker takes the signature any more."""
        return nonce.until_us + _BESIDE_US - self._clock.wall()
