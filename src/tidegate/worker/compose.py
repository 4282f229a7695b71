"""What a worker is made of: once, what lives as long as the process; for each configuration, what it says, composed.

A configuration is composed beside the one in force. All that may go wrong does so in `draft`; `RuntimeDraft.adopt`
puts it in its place, without a step that may fail, and `drop` leaves no trace.
"""

import asyncio
import os
import random
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from tidegate.edge.access.door import Door
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.roster import Roster
from tidegate.edge.access.signatures import Signatures
from tidegate.edge.bodies import CapturePolicy
from tidegate.edge.gateway import Runtime
from tidegate.journal import learnt, parcels
from tidegate.journal.bodies import Spool, keys_of
from tidegate.journal.care import Care, tell_damage
from tidegate.journal.journal import Journal
from tidegate.journal.nonces import NonceFile, boot_of_machine, name_of_past
from tidegate.journal.recover import levels_of, recover
from tidegate.line.lane import LaneState
from tidegate.line.lanes import Lanes
from tidegate.line.routing_table import RoutingTable
from tidegate.model.snapshot import Snapshot
from tidegate.observe.log import Log
from tidegate.observe.observer import Observer
from tidegate.policy.access.addresses import Networks
from tidegate.policy.access.nonces import Nonces
from tidegate.ports import Clock
from tidegate.supervisor.child import ChildArguments
from tidegate.worker import handover, lanes, owed
from tidegate.worker.drills import Drilling
from tidegate.worker.patient import Patient
from tidegate.worker.spent import Spent
from tidegate.worker.upstreams import Upstreams

if TYPE_CHECKING:
    from tidegate.worker.shared import ClusterMember


@dataclass(frozen=True, slots=True)
class Foundations:
    """What lives as long as the process, whatever configurations come."""

    state: Path  # the gate's folder
    own: Path  # this worker's
    clock: Clock
    log: Log
    luck: random.Random  # jitter and sampling, nothing secret
    journal: Journal
    care: Care
    shared: "ClusterMember | None"  # its place among other workers, where there are any
    lanes: Lanes
    observer: Observer
    spool: Spool
    upstreams: Upstreams
    door: Door
    patient: Patient
    spent: Spent
    drills: Drilling


def foundations(arguments: ChildArguments, first: Snapshot, clock: Clock, log: Log) -> Foundations:
    """Needs a running event loop. Raises `OSError` and `ValueError`."""
    state, own = Path(arguments.state_dir), Path(arguments.own_dir)
    before = Path(arguments.after) if arguments.after else None
    if before is not None:
        handover.take_over(own, before)
    in_thread = partial(asyncio.get_running_loop().run_in_executor, None)
    journal = Journal(own / "journal", first.journal, clock, first.ledger.on_journal_failure, in_thread)
    tell_damage(journal, log)
    memories = _remembered(own, before, journal, clock, log)
    shared = _sharing(arguments, first, clock, log)
    luck = random.Random()
    made = Lanes(clock, first.queue.max_calls, luck.random, memories, None if shared is None else shared.funds)
    observer = lanes.observer(made, clock, log)
    spent = Spent(own, clock, before)
    return Foundations(
        state,
        own,
        clock,
        log,
        luck,
        journal,
        Care(journal, clock, log, syncs=first.journal.fsync == "interval"),
        shared,
        made,
        observer,
        Spool(own / parcels.DIRECTORY, clock, in_thread, log),
        Upstreams(clock),
        _door(first, own, clock),
        Patient(state, own, clock, observer, log),
        spent,
        Drilling(state, own, clock, luck.random, log, spent.limits),
    )


@dataclass(frozen=True, slots=True)
class RuntimeDraft:
    """A configuration that has been composed, and is not in force."""

    snapshot: Snapshot
    book: RoutingTable
    clients: Clients
    secrets: tuple[str, ...]

    def adopt(self, base: Foundations) -> Runtime:
        """From now on it is: lanes, door and all that stays keep to it. Raises nothing."""
        snapshot = self.snapshot
        self.book.adopt()
        base.drills.follow(snapshot, self.book)
        base.door.change(snapshot.access, snapshot.signing)
        base.spool.hide(self.secrets)
        return Runtime(self.book, self.clients, base.door, base.patient.follow(snapshot))

    def drop(self) -> None:
        """It never will be."""
        self.book.drop()


def draft(base: Foundations, snapshot: Snapshot, roster: Roster) -> RuntimeDraft:
    """Compose what the snapshot says. Raises whatever is wrong with it, and then nothing has changed."""
    Networks(snapshot.access.trusted_proxies)  # what the door would raise
    keeping = partial(CapturePolicy, log=base.spool, wall=base.clock.wall)
    clients = Clients(snapshot, roster, base.spent.limits, keeping)
    secrets = tuple(keys_of(snapshot))
    return RuntimeDraft(snapshot, RoutingTable(snapshot, base.lanes, base.upstreams.pool), clients, secrets)


def elsewhere(snapshot: Snapshot) -> frozenset[str]:
    """The namespaces that come in at a worker of their own, and not at this one."""
    return frozenset() if snapshot.namespace else frozenset([one.namespace for one in snapshot.isolated])


def _remembered(own: Path, before: Path | None, journal: Journal, clock: Clock, log: Log) -> dict[str, LaneState]:
    """What lanes begin with."""
    recovered = recover(journal)
    if recovered.lost:
        log.warning("calls in flight when the last worker died were booked as estimated", calls=recovered.lost)
    levels = recovered.levels | ({} if before is None else levels_of(before / "journal", clock.wall()))
    return lanes.memories(learnt.load(own / handover.LEARNT), levels, clock, owed.left_by(before))


def _sharing(arguments: ChildArguments, first: Snapshot, clock: Clock, log: Log) -> "ClusterMember | None":
    if not first.cluster.url:
        return None
    try:
        from tidegate.worker.shared import ClusterMember  # noqa: PLC0415 - who shares nothing does not pay for it
    except ImportError:
        raise ValueError("a cluster needs the package hiredis: pip install 'tidegate[workers]'") from None
    state, own = Path(arguments.state_dir), Path(arguments.own_dir)
    return ClusterMember(first.cluster, state, own, arguments.worker, clock, log)


def _door(first: Snapshot, own: Path, clock: Clock) -> Door:
    """It knows the nonces that were used before this process began."""
    file = NonceFile(own, clock.wall(), name_of_past(boot_of_machine(), elsewhere(first)))
    nonces = Nonces(first.signing.skew_us, first.signing.max_nonces, clock.wall(), file.floor_us)
    for mark, created_us in file.recalled:
        nonces.recall(mark, created_us)
    file.recalled.clear()
    return Door(first.access, Signatures(first.signing, nonces, file), os.urandom(32))
