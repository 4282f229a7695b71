"""Rows as they should be, in memory and one step at a time: what the real ones are compared with."""

from collections import Counter
from dataclasses import dataclass, field, replace

from tests.jobs.rows.made import LEASE, new
from tidegate.jobs.records import Dispatch, End, Lease
from tidegate.jobs.rows.rows import JobRows

BROKER = "redis://cache.example:6379/1"
MAX_CRASHES = 2
ENDS = ("done", "failed", "dead", "cancelled")


@dataclass
class Ref:
    """A job as it should be."""

    id: str
    tenant: str
    backend: str
    priority: int
    not_before: int
    deadline: int
    webhook: bool
    age: int
    state: str = "queued"
    fence: int = 0
    attempts: int = 0
    crashes: int = 0
    cancelling: bool = False
    until: int = 0
    sent: int = 0  # 0 = it is not at its broker
    ends: int = 0  # how often it came to one
    outcomes: dict[int, str] = field(default_factory=dict)  # by fence

    def due(self, now: int) -> bool:
        return self.state == "queued" and self.not_before <= now < self.deadline and not self.sent


@dataclass
class Reference:
    """Does to the real rows and to its own the same, and looks at what differs."""

    rows: JobRows
    now: int = 1_000
    jobs: dict[str, Ref] = field(default_factory=dict)
    leases: list[Lease] = field(default_factory=list)
    messages: list[Dispatch] = field(default_factory=list)
    ended: Counter[tuple[str, str]] = field(default_factory=Counter)

    def submit(self, tenant: int, broker: bool, priority: int, delay: int, life: int, webhook: bool) -> None:
        backend = BROKER if broker else ""
        name = f"j{len(self.jobs)}"
        one = Ref(name, f"t{tenant}", backend, priority, self.now + delay if delay else 0, self.now + life, webhook,
                  len(self.jobs))  # fmt: skip
        said = new(
            name, one.tenant, backend=backend, priority=priority, not_before_us=one.not_before,
            deadline_us=one.deadline, webhook="https://h.example/" if webhook else "",
        )  # fmt: skip
        assert self.rows.submit([said], self.now)[0].id == name
        self.jobs[name] = one

    def claim(self, most: int, runner: int) -> None:
        due = [one for one in self.jobs.values() if not one.backend and one.due(self.now)]
        found = self.rows.claim("", most, f"r{runner}", LEASE, self.now)
        self._in_turn([lease.id for lease in found], due, most)
        for lease in found:
            self._handed(lease)

    def dispatch(self, most: int, again_after: int) -> None:
        mine = [one for one in self.jobs.values() if one.backend and one.state == "queued" and one.deadline > self.now]
        silent = {one.id for one in mine if one.sent and one.sent <= self.now - again_after}
        there = sum(1 for one in self.jobs.values() if one.sent)
        due = [one for one in mine if one.due(self.now)]
        found = self.rows.dispatch(BROKER, most, again_after, self.now)
        again = {message.id for message in found} & {one.id for one in mine if one.sent}
        assert again <= silent
        assert len(again) == min(len(silent), most)
        self._in_turn([message.id for message in found if message.id not in again], due, max(most - there, 0))
        for message in found:
            one = self.jobs[message.id]
            assert (message.fence, message.priority) == (one.fence, one.priority)
            one.sent = self.now
        self.messages += found

    def undispatch(self, which: int) -> None:
        for one in self._one(which):
            self.rows.undispatch([one.id])
            one.sent = 0

    def lease(self, which: int, runner: int) -> None:
        if not self.messages:
            return
        message = self.messages[which % len(self.messages)]
        one = self.jobs[message.id]
        good = one.state == "queued" and one.fence == message.fence and one.not_before <= self.now < one.deadline
        lease = self.rows.lease(message, f"r{runner}", LEASE, self.now)
        assert (lease is not None) is good
        if lease is not None:
            self._handed(lease)

    def renew(self, runner: int) -> None:
        """All that this runner was ever given, the newest fence of each."""
        held = {lease.id: lease.fence for number, lease in enumerate(self.leases) if number % 3 == runner}
        expected = {}
        for name, fence in held.items():
            one = self.jobs[name]
            if not self._holds(one, fence):
                expected[name] = "lost"
                continue
            one.until = self.now + LEASE
            if one.cancelling:
                expected[name] = "cancel"
        assert self.rows.renew(held, LEASE, self.now) == expected

    def finish(self, which: int, state: str, counts: bool, delay: int) -> None:
        if not self.leases:
            return
        lease = self.leases[which % len(self.leases)]
        one = self.jobs[lease.id]
        mine = self._holds(one, lease.fence)
        said = End(
            id=lease.id, fence=lease.fence, state=state, counts=counts, not_before_us=self.now + delay if delay else 0
        )
        assert self.rows.finish([said], self.now) == [mine]
        if not mine:
            return
        one.outcomes[one.fence] = "again" if state == "queued" else state
        one.attempts -= not counts
        if state != "queued":
            self._end(one, state)
        elif one.cancelling:
            self._end(one, "cancelled")
        else:
            one.state, one.not_before = "queued", said.not_before_us
            if not counts:
                del one.outcomes[one.fence]

    def reap(self) -> None:
        found = self.rows.reap(MAX_CRASHES, self.now)
        again, dead = set(), set()
        for one in self.jobs.values():
            if one.state == "running" and one.until <= self.now:
                one.outcomes[one.fence] = "lost"
                one.crashes += 1
                one.attempts -= 1
                if one.cancelling:
                    self._end(one, "cancelled")
                elif one.crashes >= MAX_CRASHES or one.deadline <= self.now:
                    self._end(one, "dead")
                else:
                    one.state, one.not_before = "queued", 0
                (again if one.state == "queued" else dead).add(one.id)
            elif one.state == "queued" and one.deadline <= self.now:
                self._end(one, "dead")
                dead.add(one.id)
        assert (set(found.again), set(found.dead)) == (again, dead)

    def cancel(self, which: int) -> None:
        for one in self._one(which):
            if one.state == "queued":
                self._end(one, "cancelled")
            elif one.state == "running":
                one.cancelling = True
            job = self.rows.cancel(one.id, None, self.now)
            assert job is not None
            assert (job.state, job.cancelling) == (one.state, one.cancelling)

    def requeue(self, which: int, life: int) -> None:
        for one in self._one(which):
            if one.state in {"failed", "dead", "cancelled"}:
                fresh = replace(one, state="queued", attempts=0, crashes=0, not_before=0, deadline=self.now + life)
                self.jobs[one.id] = fresh
            assert self.rows.requeue(one.id, self.now + life, self.now) is not None

    def tick(self, by: int) -> None:
        self.now += by

    def compare(self) -> None:
        """Every job, and every count, is as it should be."""
        for one in self.jobs.values():
            job = self.rows.find(one.id)
            assert job is not None
            assert (job.state, job.fence, job.attempts, job.crashes, job.cancelling) == (
                one.state, one.fence, one.attempts, one.crashes, one.cancelling,
            )  # fmt: skip
            attempts = self.rows.attempts(one.id)
            assert [(attempt.fence, attempt.outcome) for attempt in attempts] == list(one.outcomes.items())
        assert {(depth.backend, depth.state): depth.jobs for depth in self.rows.ended()} == self.ended
        waiting = Counter((one.backend, one.state) for one in self.jobs.values() if one.state not in ENDS)
        assert {(depth.backend, depth.state): depth.jobs for depth in self.rows.depths()} == waiting
        hooks = {one.id for one in self.jobs.values() if one.webhook and one.state in ENDS}
        with self.rows.engine.connect() as connection:
            due = connection.exec_driver_sql("SELECT id FROM jobs WHERE hook_state = 'due'").scalars()
            assert set(due) == hooks
            opened = connection.exec_driver_sql("SELECT coalesce(sum(jobs), 0) FROM job_open").scalar()
            assert opened == waiting.total()

    def _handed(self, lease: Lease) -> None:
        one = self.jobs[lease.id]
        assert one.state == "queued"
        assert (lease.fence, lease.attempts, lease.crashes) == (one.fence + 1, one.attempts, one.crashes)
        one.state, one.fence, one.until, one.sent = "running", lease.fence, self.now + LEASE, 0
        one.attempts += 1
        one.outcomes[one.fence] = "running"
        self.leases.append(lease)

    def _in_turn(self, found: list[str], due: list[Ref], most: int) -> None:
        """As many as there are, each tenant's first ones, and none twice behind one that waits."""
        assert len(found) == len(set(found)) == min(most, len(due))
        taken = Counter(self.jobs[name].tenant for name in found)
        for tenant in {one.tenant for one in due}:
            own = sorted((one for one in due if one.tenant == tenant), key=lambda one: (-one.priority, one.age))
            assert [name for name in found if self.jobs[name].tenant == tenant] == [
                one.id for one in own[: taken[tenant]]
            ]
            if taken[tenant] < len(own):
                assert max(taken.values(), default=0) <= taken[tenant] + 1

    def _end(self, one: Ref, state: str) -> None:
        one.state, one.cancelling, one.sent = state, False, 0
        one.ends += 1
        self.ended[one.backend, state] += 1

    def _one(self, which: int) -> list[Ref]:
        return [self.jobs[f"j{which % len(self.jobs)}"]] if self.jobs else []

    def _holds(self, one: Ref, fence: int) -> bool:
        return one.state == "running" and one.fence == fence
