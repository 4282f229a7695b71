"""What a worker does beside its calls: it saves, follows what others write, says how it stands, tends its journal.

What of it fails is told and done again; only without a journal that is looked after does no worker go on.
"""

import asyncio
import os
from functools import partial
from typing import Final

from tidegate.journal import learnt
from tidegate.observe.meters import AnswersMeter, ClusterMeter, JournalMeter, SemanticMeter
from tidegate.observe.push import Pusher
from tidegate.supervisor.background import Background
from tidegate.worker import handover, lanes
from tidegate.worker.compose import Foundations
from tidegate.worker.reload import Configured

PATIENCE: Final = 5  # failures in a row: who cannot look after its journal, or its place among others, begins anew
_SAVE_US: Final = 10_000_000
_LOOK_US: Final = 1_000_000
_SPEND_US: Final = 2_000_000


def begin(background: Background, base: Foundations, configured: Configured, worker: int) -> None:
    """From now on, for as long as the process lives."""
    background.every("following drills", _LOOK_US, base.drills.look)
    background.every("saving what was learnt", _SAVE_US, partial(save_learnt, base))
    background.every("looking after the journal", _LOOK_US, base.care.look, PATIENCE)
    background.every("saving what was spent", _SPEND_US, partial(base.spent.save, base.journal))
    background.every("writing bodies", _LOOK_US, base.spool.look)
    background.keep("telling how this worker stands", _Meters(base, configured).pusher(worker).run)
    background.keep("following who may call", configured.follower.follow)


async def save_learnt(base: Foundations) -> None:
    """Remember what was learnt. The file is small and written in a thread."""
    now = base.clock.now()
    known = {lane.key: lanes.learnt_of(lane, now) for lane in base.lanes}
    await asyncio.to_thread(learnt.save, base.own / handover.LEARNT, known)


class _Meters:
    """What control is told once a second beside the counters of calls."""

    __slots__ = ("_base", "_configured")

    def __init__(self, base: Foundations, configured: Configured) -> None:
        self._base = base
        self._configured = configured

    def pusher(self, worker: int) -> Pusher:
        base = self._base
        return Pusher(
            base.state / "control.sock",
            base.observer,
            base.clock,
            worker,
            os.getpid(),
            self._journal,
            base.spent.gauges,
            self._answers,
            self._questions,
            self._cluster,
        )

    def _journal(self) -> JournalMeter:
        keeper, spool = self._base.journal.keeper, self._base.spool
        return JournalMeter(
            bool(keeper.failing),
            keeper.failures,
            keeper.kept,
            keeper.dropped,
            keeper.unwritten_intents,
            keeper.deleted_unread,
            spool.kept,
            spool.dropped,
        )

    def _cluster(self) -> ClusterMeter | None:
        shared = self._base.shared
        return None if shared is None else shared.meter()

    def _answers(self) -> list[AnswersMeter]:
        kept = self._configured.kept
        return [] if kept is None else kept.meters()

    def _questions(self) -> SemanticMeter | None:
        kept = self._configured.kept
        return None if kept is None else kept.questions()
