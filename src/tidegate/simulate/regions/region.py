"""One region: its calls, its bucket, which is the gate's own, and its node in the protocol of parts."""

from collections import deque
from collections.abc import Callable
from functools import partial
from typing import Final

from tidegate.model.regions import WHOLE
from tidegate.policy.quota.bucket import Bucket
from tidegate.policy.regions.balance import Demand
from tidegate.policy.regions.party import Drop, Party, Place, Rule, Seen, Swap
from tidegate.simulate.regions.plan import WINDOW_US, Plan
from tidegate.simulate.regions.store import Agenda, Records, Way
from tidegate.units import SECOND_US

QUOTA: Final = "provider/scope/model"


class Region:
    """Times are true ones; `clock` is what its own clock shows."""

    __slots__ = (
        "_agenda", "_asked_at", "_bucket", "_demand", "_limit", "_offset", "_part", "_plan", "_rate", "_records",
        "_rule", "_spent", "_waiting", "admitted", "arrived", "least", "left", "party", "paused", "place", "restarts",
        "way",
    )  # fmt: skip

    def __init__(self, plan: Plan, place: Place, rule: Rule, agenda: Agenda, records: Records, way: Way) -> None:
        self._plan = plan
        self.place = place
        self._rule = rule
        self._agenda = agenda
        self._records = records
        self.way = way
        self._limit = plan.quota_per_s * plan.tokens * WINDOW_US // SECOND_US
        self._offset = 0
        self._rate = WHOLE
        self._waiting: deque[list[int]] = deque()  # [when they came, how many]
        self.paused = False
        self.restarts = 0
        self.arrived = self.admitted = self.left = 0
        self.least = 0.0  # what parts and demand allowed at least, in tokens
        self._begin()

    def drifts(self, offset: int, ppm: int) -> None:
        """Its clock began elsewhere, and runs too fast by so much. Before anything happens."""
        self._offset, self._rate = offset, WHOLE + ppm
        self._begin()

    def clock(self) -> int:
        """What its own clock shows."""
        return self._offset + self._agenda.now * self._rate // WHOLE

    def _begin(self) -> None:
        """Without memory: an empty bucket, and no part of anything."""
        self.party = Party(self.place, self._rule, self.clock())
        self._part = 0
        self._bucket = Bucket(1, self._agenda.now, window_us=WINDOW_US, jitter_us=self._plan.jitter_us)
        self._bucket.take(1, self._agenda.now)
        self._demand = Demand(self.clock())
        self._spent = 0
        self._asked_at = -1

    def restart(self) -> None:
        """It forgets everything; whoever waited has left."""
        self.restarts += 1
        self.left += sum(count for _, count in self._waiting)
        self._waiting.clear()
        self._begin()

    # the protocol

    def beat(self, again: Callable[[], None]) -> None:
        """Say the news and read; once more a beat later."""
        self._agenda.at(self._agenda.now + self._plan.beat_us, again)
        if self.paused:
            return
        now = self.clock()
        waits = sum(count for _, count in self._waiting) * self._plan.tokens
        self._demand.note(self._spent, waits, self._limit, WINDOW_US, now)
        self._spent = 0
        self.party.want(QUOTA, self._demand.ppm(now), 0)
        held = self.party.held.get(QUOTA)
        if held is not None:
            self.party.kept(QUOTA, held.epoch, held.seq, now)
        news, party = self.party.news(now), self.party

        def asked() -> None:
            seen = self._records.exchange(self.place, news)
            self.way.send(partial(self._answered, party, seen, now))

        self.way.send(asked)

    def _answered(self, party: Party, seen: Seen, sent_at: int) -> None:
        if self.paused or party is not self.party or sent_at <= self._asked_at:
            return
        self._asked_at = sent_at
        for write in party.heard(seen, sent_at, self.clock(), self._agenda.now + 1):
            self.way.send(partial(self._write, write))

    def _write(self, write: Swap | Drop) -> None:
        self._records.write(write)

    # calls

    def tick(self, calls: int) -> int:
        """So many calls arrive; how many leave for the provider, in order. O(1), and O(batches that leave)."""
        now, cost = self._agenda.now, self._plan.tokens
        part = self.party.part(QUOTA, self.clock())
        if part != self._part:
            self._part = part
            self._bucket.resize(max(1, self._limit * part // WHOLE), now)
        self.arrived += calls
        if calls:
            self._waiting.append([now, calls])
        go = 0
        left = self._bucket.left(now) // cost if part else 0
        while self._waiting and left > 0:
            batch = self._waiting[0]
            some = min(left, batch[1])
            go, left = go + some, left - some
            batch[1] -= some
            if batch[1]:
                break
            self._waiting.popleft()
        if go:
            self._bucket.take(go * cost, now)
            self._spent += go * cost
            self.admitted += go
        self._leave(now)
        return go

    def _leave(self, now: int) -> None:
        patience = round(self._plan.patience_s * SECOND_US)
        while self._waiting and self._waiting[0][0] < now - patience:
            self.left += self._waiting.popleft()[1]

    @property
    def part(self) -> int:
        """In force now, in millionths."""
        return self._part
