"""A worker among the others: its client of the shared state, how it stands to it, and who makes its exchanges.

Imported when a cluster is configured.
"""

import os
from pathlib import Path
from typing import Final

import msgspec

from tidegate.cluster import claims, remembered
from tidegate.cluster.call import Call
from tidegate.cluster.check import Unreached, UnusableStore, check
from tidegate.cluster.client import StoreClient
from tidegate.cluster.failure import Failure
from tidegate.cluster.figures import Figures
from tidegate.cluster.lease_exchanger import LeaseExchanger
from tidegate.cluster.membership import Membership, footing_mode
from tidegate.cluster.remembered import Remembered
from tidegate.cluster.scripts import exchange, members
from tidegate.cluster.url import CLUSTER, parse
from tidegate.model.cluster import ClusterSettings
from tidegate.observe.log import Log
from tidegate.observe.meters import BOUNDS_US, ClusterMeter, Histogram
from tidegate.policy.lease.faces import SHARED, Footing
from tidegate.ports import Clock

JOIN_US: Final = 3_000_000  # how long the first beat may take
TEND_US: Final = 1_000_000
_SAVE_US: Final = 10_000_000
_AGAIN_US: Final = 200_000


class ClusterMember:
    """One of a worker. `start` before it serves, `tend` beside the calls, `leave` at its end."""

    __slots__ = (
        "_clock", "_figures", "_identity", "_log", "_membership", "_own", "_saved", "_settings", "_state", "_told",
        "client", "footing", "funds",
    )  # fmt: skip

    def __init__(self, settings: ClusterSettings, state: Path, own: Path, worker: int, clock: Clock, log: Log) -> None:
        """Raises `ValueError`: the URL or its certificates cannot be read. Nothing is dialled yet."""
        self._settings = settings
        self._state = state
        self._own = own
        self._clock = clock
        self._log = log
        place = parse(settings.url)
        self.client = StoreClient(place, clock, settings.timeout_us)
        self.footing = Footing(f"{settings.node}/{worker}", clock.wall())
        self._figures = Figures(BOUNDS_US)
        sharded = place.kind == CLUSTER
        self.funds = LeaseExchanger(
            self.client, exchange(), self.footing, clock, settings.prefix, self._figures, sharded=sharded
        )
        self._membership = Membership(
            self.client, members(), self.footing, self.funds, settings, clock, log, self._figures
        )
        self._identity = claims.Identity("")
        self._saved = Remembered("")
        self._told = claims.OK  # what the last claim said

    async def start(self) -> None:
        """Be a member, or go on by what is remembered. Raises `ValueError` with the remedy, or `OSError`."""
        self._identity = claims.identity_of(self._state, os.urandom(8).hex())
        try:
            found = await check(self.client, self._settings.prefix)
            await self._claim()
        except Unreached as problem:
            if not self._identity.cluster:
                raise
            self._log.warning("the shared state cannot be reached at the start", problem=str(problem))
            self._recall()
        else:
            self._log.info("the shared state is there", server=found.server, version=found.version)
        self._membership.changed = self._save
        if not await self._membership.join(JOIN_US):
            if not self._identity.cluster:
                raise Unreached(f"{self.client.place.shown} does not answer in time", "see whether it is overloaded")
            self._recall()

    async def tend(self) -> None:
        """See to it that the name stays this worker's, and that what is known is written down. Never ends."""
        looks = 0
        while True:
            await self._clock.sleep(TEND_US)
            looks += 1
            if self.footing.mode == SHARED:
                await self._renew()
                if looks * TEND_US >= _SAVE_US:
                    looks = 0
                    self._save()

    async def leave(self) -> None:
        """The worker ends in good order: what it holds goes back, and its share is the others' at once."""
        await self.funds.leave()
        shared = self.footing.mode == SHARED
        await self._membership.leave()
        if shared:
            await self.client.run([self._claim_call(leaving=True)])
        self.client.close()

    def died(self, worker: int, at_us: int) -> None:
        """Another worker of this machine ended without a word at this moment (monotonic microseconds)."""
        self._membership.bury(f"{self._settings.node}/{worker}", at_us)

    def meter(self) -> ClusterMeter:
        """How it stands, for the metrics."""
        figures = self._figures
        return ClusterMeter(
            footing_mode(self.footing),
            self._membership.members,
            self.footing.share_ppm,
            len(self.funds),
            figures.exchanges,
            figures.failures,
            figures.late,
            figures.lost,
            figures.beats,
            figures.beats_failed,
            figures.changes,
            self.client.commands,
            Histogram(figures.counts, figures.total_us),
        )

    def _recall(self) -> None:
        """Go on as one that hears nothing: by its own part, or refusing."""
        known = remembered.load(self._own)
        if known is None or known.member != self.footing.member:
            self._membership.recall(0, 0, 0, self._settings.share_us)
        else:
            age = max(0, self._clock.wall() - known.heard_wall_us)
            self._membership.recall(known.share_ppm, known.open_ppm, known.members, age)

    def _save(self) -> None:
        footing = self.footing
        heard = self._clock.wall() - (self._clock.now() - footing.heard_at)
        now = Remembered(footing.member, footing.share_ppm, footing.open_ppm, self._membership.members, heard)
        if self._saved.worth(now, _SAVE_US // 2):
            self._saved = now
            remembered.save(self._own, now)

    # Whose the prefix and the name are

    def _claim_call(self, *, leaving: bool = False) -> Call:
        fresh = f"{self._identity.home}-{self.footing.incarnation:x}"
        return claims.claim_of(self._settings.prefix, self._identity, self.footing.member, fresh, leaving=leaving)

    async def _claim(self) -> None:
        """Raises `UnusableStore`. A name whose holder may just have died is waited for."""
        until = self._clock.now() + claims.LIFE_US + TEND_US
        while True:
            (said,) = await self.client.run([self._claim_call()])
            if isinstance(said, Failure):
                raise Unreached(f"{self.client.place.shown}: {said}", "see whether it is overloaded")
            verdict = claims.verdict_of(said)
            if verdict.status == claims.OK:
                self._identify(verdict.cluster)
                return
            if verdict.status != claims.TAKEN or self._clock.now() > until:
                raise self._refused(verdict)
            await self._clock.sleep(_AGAIN_US)

    async def _renew(self) -> None:
        (said,) = await self.client.run([self._claim_call()])
        if isinstance(said, Failure):
            return
        verdict = claims.verdict_of(said)
        if verdict.status not in {self._told, claims.OK}:
            self._log.error("this worker and another one are in each other's way", problem=str(self._refused(verdict)))
        self._told = verdict.status
        if verdict.status == claims.OK and not self._identity.cluster:
            self._identify(verdict.cluster)

    def _identify(self, cluster: str) -> None:
        if self._identity.cluster != cluster:
            self._identity = msgspec.structs.replace(self._identity, cluster=cluster)
            claims.remember(self._state, self._identity)

    def _refused(self, verdict: claims.Verdict) -> UnusableStore:
        prefix, shown = self._settings.prefix, self.client.place.shown
        if verdict.status == claims.TAKEN:
            node = self._settings.node
            return UnusableStore(
                f"another gate is the node {node} of the cluster {prefix} at {shown}",
                "give each gate a node's name of its own, or, where they share nothing, a prefix",
                "cluster.node",
            )
        if verdict.status == claims.OTHER_FORMAT:
            return UnusableStore(
                f"{prefix} at {shown} is kept by another version of the gate (format {verdict.format})",
                "upgrade all nodes, or take another prefix",
                "cluster.prefix",
            )
        return UnusableStore(
            f"{prefix} at {shown} belongs to another cluster",
            f"take another prefix; if it is this gate's own, delete {claims.NAME} in its state directory",
            "cluster.prefix",
        )
