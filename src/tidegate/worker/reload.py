"""The configuration in force, and the way to the next one: composed beside it, then put in its place in one turn.

What stands here changes with the configuration, or with who may call at run time; calls in flight keep their plan.
"""

from typing import TYPE_CHECKING

from tidegate.directory import layout as directory
from tidegate.directory.follower import Follower
from tidegate.edge.access.roster import Roster
from tidegate.edge.gateway import Gateway
from tidegate.journal.follow import identity
from tidegate.line.line import Line
from tidegate.model import snapshot as snapshots
from tidegate.model.snapshot import Snapshot, caches
from tidegate.supervisor.background import Background
from tidegate.worker.compose import Foundations, RuntimeDraft, draft, elsewhere
from tidegate.worker.regions import Regions

if TYPE_CHECKING:
    from tidegate.cache.answers import Answers
    from tidegate.worker.hearsay import Hearsay
    from tidegate.worker.kept import AnswerLayers

    _Layers = tuple[AnswerLayers, Answers]


class Configured:
    """What a worker serves by. Needs a running event loop."""

    __slots__ = (
        "_background",
        "_base",
        "_first",
        "_regions",
        "_snapshot",
        "follower",
        "gateway",
        "hearsay",
        "kept",
        "serves",
    )

    def __init__(self, base: Foundations, first: Snapshot, worker: int, background: Background) -> None:
        """By the first configuration. Raises `ValueError`, `OSError`."""
        self._base = base
        self._background = background
        self._first = self._snapshot = first
        self.serves = False  # whoever is served may be told what changes
        self.hearsay: Hearsay | None = None  # where there are other workers
        self.kept: AnswerLayers | None = None  # from when on somebody wants answers kept
        self.follower = Follower(base.state / directory.NAME, Roster, self._managed, base.clock, base.log)
        self._regions = Regions(base.state, base.lanes, base.clock, worker, background.keep, first)
        runtime = draft(base, first, self.follower.state).adopt(base)
        line = Line(base.clock, base.journal, base.observer, base.luck.random)
        self.gateway = Gateway(runtime, line, base.clock, base.journal, base.observer, worker)
        self._keep(self._layers(first), first)
        base.patient.join(self.gateway)
        if first.cluster.url:
            self.gateway.replies.ids.begin_apart(identity(base.own / "journal"))
        self.gateway.replies.ids.begin_after(base.journal.last_id)

    def load(self, data: bytes) -> str:
        """Another configuration: why it is not taken, "" = it is in force. What is refused has changed nothing."""
        base = self._base
        try:
            snapshot = snapshots.decode(data)
            if snapshot.cluster != self._first.cluster:
                return "`cluster` changed in the file: all workers change over together, so restart the gate"
            drafted = draft(base, snapshot, self.follower.state)
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs the reload, and no call
            return self._refused(error)
        try:
            layers = self._layers(snapshot)
        except Exception as error:  # noqa: BLE001 - as above
            drafted.drop()
            return self._refused(error)
        self._put_in_force(drafted, layers)
        return ""

    def _refused(self, error: Exception) -> str:
        self._base.upstreams.keep(self._snapshot)
        if isinstance(error, (ValueError, OSError)):
            return str(error)
        self._base.log.error("the gate failed on a configuration, and refuses it", problem=repr(error))
        return f"the gate failed on it: {error!r}"

    def _put_in_force(self, drafted: RuntimeDraft, layers: "_Layers | None") -> None:
        """Raises nothing: what may fail was done."""
        base, before, snapshot = self._base, self._snapshot, drafted.snapshot
        self._snapshot = snapshot
        self._regions.follow(snapshot)  # first: lanes that are new begin with this region's part
        runtime = drafted.adopt(base)
        self._keep(layers, snapshot)
        base.patient.join(self.gateway)
        self.gateway.runtime = runtime
        if self.hearsay is not None:
            self.hearsay.follow()
        if not elsewhere(before) <= elsewhere(snapshot):
            base.door.distrust(base.clock.wall())
        base.spent.accounts.tidy(base.clock.wall(), everything=True)
        self.gateway.review()
        base.lanes.retire()
        base.upstreams.keep(snapshot)
        if snapshot.server != self._first.server or snapshot.journal != self._first.journal:
            base.log.warning("`server` and `journal` changed in the file: they take effect when the gate restarts")

    def _layers(self, snapshot: Snapshot) -> "_Layers | None":
        """Where answers are kept, in the way the file wants it, once anybody has wanted it. Raises as they do."""
        base, kept = self._base, self.kept
        if kept is None:
            if not caches(snapshot):
                return None
            from tidegate.worker.kept import AnswerLayers  # noqa: PLC0415 - 60 ms of the start of who keeps none

            kept = AnswerLayers(snapshot, base.state, self.gateway, base.journal, base.clock, base.log)
        return kept, kept.prepare(snapshot)

    def _keep(self, layers: "_Layers | None", snapshot: Snapshot) -> None:
        if layers is None:
            return
        kept, answers = layers
        if self.kept is None:
            self.kept = kept
            self._background.keep("following purges", kept.follower.follow)
        before = kept.adopt(snapshot, answers)
        if before is not None:
            self._background.once("closing layers of the cache", before.close())

    def _managed(self, managed: Roster) -> None:
        """Who may call has changed at run time, or which accounts are out of service."""
        base, runtime = self._base, self.gateway.runtime
        base.lanes.drain(managed.drained)
        was_open = runtime.clients.open
        runtime.follow(managed)
        base.spent.accounts.tidy(base.clock.wall())
        self.gateway.review()
        if was_open and not runtime.clients.open and self.serves:
            base.log.warning("the first client key was made: whoever calls without one is refused from now on")
