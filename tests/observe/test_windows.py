"""What workers' reports come to: sums over windows, and how the node stands."""

from typing import Any

from tidegate.model.belief import Belief
from tidegate.model.standing import LaneSums, LimitedSums, PlanSums, QueueSums, ScopeSums
from tidegate.observe.meters import (
    REASONS,
    CallMeter,
    ClusterMeter,
    LaneGauge,
    LaneMeter,
    PoolGauge,
    Report,
    SpendGauge,
    Tally,
)
from tidegate.observe.sources import CALL, LANE, POOL
from tidegate.observe.windows import DATABASE, MOST, NodeFacts, Windows, limits_of

SECOND = 1_000_000
BEGAN = 1_000 * SECOND  # wall clock, when the windows began
FACTS = NodeFacts("one")
LANE_NAME = "openai/main/gpt-4o"


def calls(ok: int = 0, failed: int = 0, plan: str = "chat", tokens: int = 0) -> CallMeter:
    return CallMeter(plan, "gpt-4o", "openai", "main", [0, 0, ok, 0, 0, failed], prompt_tokens=tokens)


def lane(answered: int = 0, rate: int = 0, name: str = LANE_NAME) -> LaneMeter:
    failed = [0] * len(REASONS)
    failed[REASONS.index("rate")] = rate
    return LaneMeter(name, answered, failed)


def gauge(charged: tuple[int, int] = (0, 0), wait_us: int = 0, **more: Any) -> LaneGauge:
    """(tokens, requests) charged."""
    limits = {"level_tokens": 0, "limit_tokens": 1_000, "level_requests": 0, "limit_requests": -1}
    fields = limits | {"open": not wait_us, "wait_us": wait_us} | more
    return LaneGauge(LANE_NAME, **fields, charged_tokens=charged[0], charged_requests=charged[1])


def report(worker: int = 0, incarnation: int = BEGAN, **parts: Any) -> Report:
    return Report(worker, incarnation, 1, last=True, **parts)


class Scene:
    """Windows, and a clock that goes by seconds."""

    def __init__(self) -> None:
        self.windows = Windows(BEGAN)
        self.second = 5_000

    @property
    def now(self) -> int:
        return BEGAN + (self.second - 5_000) * SECOND

    def hear(self, *reports: Report, after: int = 1, facts: NodeFacts = FACTS) -> Any:
        self.second += after
        for one in reports:
            self.windows.take(one, self.second, self.now)
        return self.windows.tick(facts, self.second, self.now)

    def limited(self, *reports: Report, after: int = 1) -> list[LimitedSums]:
        return self.hear(*reports, after=after).limited  # type: ignore[no-any-return]


def test_what_happened_in_the_last_minute() -> None:
    """Counters of workers are cumulative; what stands is what came since, of all workers."""
    scene = Scene()
    scene.hear(report(calls=[calls(10, 1)]), report(1, calls=[calls(5)]))
    stands = scene.hear(report(calls=[calls(14, 2)]), report(1, calls=[calls(5)]), after=30)
    assert stands.plans == [PlanSums("chat", 21, 2)]
    assert scene.hear(after=31).plans == [PlanSums("chat", 5, 1)]


def test_a_worker_that_was_there_before_begins_with_what_it_says_first() -> None:
    """A worker that began since counts from nothing; so does a series of which the older one had said nothing."""
    scene = Scene()
    assert scene.hear(report(incarnation=1, calls=[calls(1_000)])).plans == []
    stands = scene.hear(report(incarnation=1, calls=[calls(1_001), calls(3, plan="new")]))
    assert stands.plans == [PlanSums("chat", 1), PlanSums("new", 3)]


def test_a_reset_makes_no_negative_rate() -> None:
    """Another incarnation begins at nothing, and a counter that falls has begun again; what was counted stays."""
    scene = Scene()
    scene.hear(report(calls=[calls(100)]))
    assert scene.hear(report(incarnation=BEGAN + 7, calls=[calls(2)])).plans == [PlanSums("chat", 102)]
    assert scene.hear(report(incarnation=BEGAN + 7, calls=[calls(1)])).plans == [PlanSums("chat", 103)]


def test_two_incarnations_that_speak_by_turns() -> None:
    """A successor and its predecessor bear one number for a moment: each counts for itself, the younger one stands."""
    scene = Scene()
    for count in (5, 7):
        old = report(calls=[calls(count)], pools=[PoolGauge("p", "m", {"vip": 9}, 0, 0)])
        new = report(incarnation=BEGAN + 1, calls=[calls(count * 10)], pools=[PoolGauge("p", "m", {"vip": 1}, 0, 0)])
        stands = scene.hear(old, new)
    assert stands.plans == [PlanSums("chat", 77)]
    assert stands.queues == [QueueSums("p", "m", waiting=1)]


def test_after_reports_were_dropped_nothing_counts_twice() -> None:
    """What workers say next is where they begin."""
    scene = Scene()
    scene.hear(report(calls=[calls(100)]))
    scene.windows.lost(scene.now + 1)
    scene.hear(report(calls=[calls(500)]))
    assert scene.hear(report(calls=[calls(501)])).plans == [PlanSums("chat", 101)]


def test_refusals() -> None:
    """The gate's own; what never became a call counts as one; what nobody answered is a failure and no refusal."""
    tallies = [
        Tally("chat", "over_quota", 4, "free"),
        Tally("chat", "tenant_limit", 3, "free"),
        Tally("chat", "tenant_unknown", 2, "vip"),
        Tally("chat", "upstream", 5, "vip"),
        Tally("chat", "fallback", 6),
        Tally("chat", "moved", 7),
        Tally("", "unauthenticated", 8),
    ]
    stands = Scene().hear(report(calls=[calls(20)], tallies=tallies))
    assert stands.plans == [PlanSums("chat", calls=25, failed=2, refused=9, moved=7)]


def test_what_a_lane_was_charged() -> None:
    """What was reserved and turned out to be less is put right, and what the provider counts in its window stands."""
    scene = Scene()
    scene.hear(report(gauges=[gauge((900, 2))], lanes=[lane(1)]))
    stands = scene.hear(report(gauges=[gauge((300, 3))], lanes=[lane(2, 1)]))
    assert stands.lanes == [LaneSums("openai", "main", "gpt-4o", 300, 1_000, 3, -1, 1)]
    scene.hear(report(gauges=[gauge((300, 3))], lanes=[lane(2, 1)]), after=30)
    stands = scene.hear(report(gauges=[gauge((100, 3))], lanes=[lane(2, 1)]), after=40)
    assert stands.lanes[0].tokens == 0


def test_a_lane_that_is_made_anew() -> None:
    """Its requests begin again: what it was charged counts, and not the difference."""
    scene = Scene()
    scene.hear(report(gauges=[gauge((50_000, 500))]))
    stands = scene.hear(report(gauges=[gauge((70, 1))]), after=100)
    assert (stands.lanes[0].tokens, stands.lanes[0].requests) == (70, 1)


def test_the_limit_in_force() -> None:
    """What is kept to, a minute; where that is not told, what the mirror holds."""
    assert limits_of(gauge()) == (1_000, -1)
    assert limits_of(gauge(tokens=Belief(limit=60_000), requests=Belief(limit=60))) == (60_000, 60)


def test_queues() -> None:
    """Who left in the last minute, and who waits now, of all workers."""
    scene = Scene()
    one = PoolGauge("p", "m", {"vip": 2, "free": 1}, 9, 0, left=10, waited_us=500, refused=0, waiting_us=70)
    stands = scene.hear(report(pools=[one]), report(1, pools=[one]))
    assert stands.queues == [QueueSums("p", "m", 20, 1_000, 6, 140)]


def test_a_429_limits_a_model_for_ten_seconds() -> None:
    """Seen again before that it goes on; a pause of more than ten seconds ends it."""
    scene = Scene()
    since = scene.now + SECOND
    assert scene.limited(report(lanes=[lane(rate=1)])) == [LimitedSums("gpt-4o", since, since)]
    assert scene.limited(report(lanes=[lane(rate=2)]), after=10) == [LimitedSums("gpt-4o", since, since + 10 * SECOND)]
    assert scene.limited(report(lanes=[lane(rate=2)]), after=10) == [LimitedSums("gpt-4o", since, since + 10 * SECOND)]
    assert scene.limited(report(lanes=[lane(rate=2)], gauges=[gauge()])) == [LimitedSums("gpt-4o")]


def test_a_lane_that_is_closed_for_rate_limits_its_model() -> None:
    """As long as nobody may pass; closed for another reason, or only waiting for a probe to come, it does not."""
    scene = Scene()
    assert scene.limited(report(gauges=[gauge(wait_us=5)])) == [LimitedSums("gpt-4o")]
    scene.hear(report(lanes=[lane(rate=1)], gauges=[gauge(wait_us=5)]))
    for _ in range(6):
        found = scene.limited(report(lanes=[lane(rate=1)], gauges=[gauge(wait_us=5)]), after=9)
    assert found[0].until_us - found[0].since_us == 54 * SECOND
    for _ in range(3):
        found = scene.limited(report(lanes=[lane(rate=1)], gauges=[gauge(open=False)]), after=4)
    assert found == [LimitedSums("gpt-4o")]


def test_whoever_waits_or_is_refused_limits_its_model() -> None:
    """In the pool's queue now, or told a time since."""
    scene = Scene()
    waits, told = PoolGauge("p", "m", {"vip": 1}, 0, 0), PoolGauge("p", "m", {"vip": 0}, 0, 0, refused=1)
    since = scene.now + SECOND
    assert scene.limited(report(pools=[waits])) == [LimitedSums("m", since, since)]
    assert scene.limited(report(pools=[told]), after=9) == [LimitedSums("m", since, since + 9 * SECOND)]
    assert scene.limited(report(pools=[told]), after=11) == []


def test_a_restart_of_who_looks_ends_no_limit() -> None:
    """A lane that was closed for rate before is closed for rate still; counters tell nothing of it."""
    first, second = Scene(), Scene()
    first.hear(report(lanes=[lane(rate=1)], gauges=[gauge(wait_us=5)]))
    second.second = first.second + 20
    second.windows.spans.recall(first.windows.spans.dump(), second.now)
    found = second.limited(report(incarnation=1, lanes=[lane(rate=1)], gauges=[gauge(wait_us=5)]))
    assert found == [LimitedSums("gpt-4o", BEGAN + SECOND, second.now)]


def test_since_when_a_lane_is_closed() -> None:
    """While it lets nobody pass, its probes included; open everywhere, it is open at once."""
    scene = Scene()
    since = scene.now + SECOND
    closed = report(gauges=[gauge(wait_us=5)])
    assert scene.hear(closed).lanes[0].closed_since_us == since
    assert scene.hear(report(gauges=[gauge(open=False)]), after=9).lanes[0].closed_since_us == since
    assert scene.hear(closed, report(1, gauges=[gauge()])).lanes[0].closed_since_us == since
    assert scene.hear(report(gauges=[gauge()])).lanes[0].closed_since_us == 0


def test_keys_and_budgets() -> None:
    """Each worker finds the same dead keys; each has used its own part of a budget, and knows what all have used."""
    money = SpendGauge("acme", "", "", "", "nano_day", 30, 0, 100, 45)
    others = [SpendGauge("acme", "bob", "", "", "nano_day", 9, 0, 9), SpendGauge("acme", "", "", "", "rpm", 9, 0, 9)]
    stands = Scene().hear(
        report(gauges=[gauge(keys_dead=2)], spends=[money, *others]),
        report(1, gauges=[gauge(keys_dead=1)], spends=[money]),
    )
    assert stands.scopes == [ScopeSums("openai", "main", 2)]
    assert [(one.namespace, one.period, one.used, one.told, one.limit) for one in stands.budgets] == [
        ("acme", "money_day", 60, 45, 100)
    ]


def test_what_the_node_itself_knows() -> None:
    """Restarts of five minutes, workers that do not serve unless it drains, jobs given up in an hour, the database."""
    scene = Scene()
    scene.hear(facts=NodeFacts("one", restarts=3, jobs_dead=5))
    facts = NodeFacts("one", workers_down=2, restarts=5, journal_behind_bytes=9, database_up=False, jobs_dead=8)
    stands = scene.hear(facts=facts)
    assert (stands.worker_restarts, stands.workers_down, stands.journal_behind_bytes, stands.jobs_dead) == (2, 2, 9, 3)
    assert stands.database_down_since_us == scene.now
    stands = scene.hear(facts=facts._replace(ready=False, database_up=None, jobs_dead=-1), after=5)
    assert (stands.workers_down, stands.jobs_dead, stands.database_down_since_us) == (0, -1, scene.now - 5 * SECOND)
    stands = scene.hear(facts=facts._replace(database_up=True, jobs_dead=9), after=400)
    assert (stands.worker_restarts, stands.jobs_dead, stands.database_down_since_us) == (0, 4, 0)
    assert DATABASE not in scene.windows.spans


def test_a_journal_that_cannot_be_written() -> None:
    """From the moment at which it was heard of until it is well."""
    scene = Scene()
    failing = FACTS._replace(journal_failing=True)
    assert scene.hear(facts=FACTS).journal_failing_since_us == 0
    began = scene.hear(facts=failing, after=1).journal_failing_since_us
    assert began == scene.now
    assert scene.hear(facts=failing, after=7).journal_failing_since_us == began == scene.now - 7 * SECOND
    assert scene.hear(facts=FACTS, after=1).journal_failing_since_us == 0


def test_the_shared_state() -> None:
    """Lost while a worker stands by itself, and found when all of them share again; who joins has lost nothing."""
    scene = Scene()

    def stands(*modes: str) -> int:
        told = [report(worker, cluster=ClusterMeter(mode, 1, 1, 1)) for worker, mode in enumerate(modes)]
        return scene.hear(*told).shared_lost_since_us  # type: ignore[no-any-return]

    assert stands("joining", "shared") == 0
    since = scene.now + SECOND
    assert [stands("local", "shared"), stands("closed", "joining")] == [since, since]
    assert stands("shared", "shared") == 0


def test_memory_is_bounded() -> None:
    """Beyond so many series all count as one; those of which an hour has passed make room."""
    scene = Scene()
    for number in range(MOST + 20):
        scene.hear(report(calls=[calls(1, plan=str(number))]), after=0)
    stands = scene.hear(report())
    assert len(stands.plans) == MOST + 1
    assert stands.plans[-1] == PlanSums("other", 20)
    for _ in range(63):
        stands = scene.hear(after=60)
    assert stands.plans == []
    assert scene.hear(report(calls=[calls(3, plan="0")])).plans == [PlanSums("0", 2)]


def test_rows() -> None:
    """Every series over every window that is asked for, as of the last tick."""
    scene = Scene()
    scene.hear(report(calls=[calls(5, tokens=50)], lanes=[lane(2)], pools=[PoolGauge("p", "m", {}, 0, 0, left=7)]))
    rows = {(row.key, row.window): row.sums for row in scene.windows.rows(["1s", "1m"])}
    assert rows[(CALL, "chat"), "1m"] == rows[(CALL, "chat"), "1s"] == [5, 0, 0, 0, 50]
    assert rows[(LANE, "openai", "main", "gpt-4o"), "1m"] == [0, 0, 0, 2, 0]
    assert rows[(POOL, "p", "m"), "1m"] == [7, 0, 0]
    scene.hear(after=2)
    assert {tuple(row.sums) for row in scene.windows.rows(["1s"])} == {(0,) * 5, (0,) * 3}
