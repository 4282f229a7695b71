"""A pool finds whoever can serve, by whatever strategy, and knows how soon."""

from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from tidegate.model.outcome import Reason
from tidegate.policy.failure.breaker import Breaker
from tidegate.policy.failure.health import Health
from tidegate.policy.pick import STRATEGIES, make
from tidegate.policy.queue.outlet import UNTOLD, Cap, Outlet
from tidegate.policy.queue.outlets import SMALL, Outlets
from tidegate.policy.quota.allowance import NEVER
from tidegate.policy.quota.prefixes import Prefixes
from tidegate.policy.quota.quota import Charge, Quota, allowance

SECOND = 1_000_000


def outlet(name: str, rpm: int = 600, tpm: int = 60_000, **kind: object) -> Outlet:
    window = str(kind.pop("window", "continuous"))
    requests = (allowance(rpm, 0, window=window, jitter_us=0),) if rpm else ()
    tokens = (allowance(tpm, 0, window=window, jitter_us=0),) if tpm else ()
    return Outlet(name, Quota(requests, tokens), **kind)  # type: ignore[arg-type]


def scan(outlets: list[Outlet], charge: Charge, floor: int, now: int) -> int:
    waits = [outlet.soonest(charge, now, floor) for outlet in outlets]
    return min((wait for wait in waits if wait != NEVER), default=NEVER)


def test_an_empty_pool() -> None:
    """Serves nobody, ever."""
    pool = Outlets([], make("least_loaded"))
    assert len(pool) == 0
    assert pool.pick(Charge(1), 0, 0, 0, Random(1).random) is None
    assert pool.soonest(Charge(1), 0, 0) == NEVER


def test_a_pool_of_one() -> None:
    """It or nobody."""
    one = outlet("a")
    pool = Outlets([one], make("least_loaded"))
    luck = Random(1).random
    assert pool.pick(Charge(60_000), 0, 0, 0, luck) is one
    one.take(Charge(60_000), 0)
    assert pool.pick(Charge(1_000), 0, 0, 0, luck) is None
    assert pool.soonest(Charge(1_000), 0, 0) == SECOND
    assert pool.pick(Charge(1_000), 0, 0, SECOND, luck) is one


def test_states() -> None:
    """Every outlet stands in one list."""
    names = ["ready", "busy", "cooling", "tripped", "probing"]
    outlets = [outlet(name) for name in names]
    outlets[1].take(Charge(60_000), 0)
    for index, times in ((2, 1), (3, 3), (4, 1)):
        breaker = outlets[index].breaker
        for _ in range(times):
            breaker.fail(Reason.RATE, breaker.epochs, 0, 0, SECOND)
    states = Outlets(outlets, make("headroom")).states(0)
    assert [one.name for one in states.ready] == ["ready"]
    assert [one.name for one in states.busy] == ["busy"]
    assert [one.name for one in states.cooling] == ["cooling", "probing"]
    assert [one.name for one in states.tripped] == ["tripped"]


def test_the_tally_follows_the_set() -> None:
    """Who stays keeps what it carries; who left takes its own away."""
    one, two = outlet("a"), outlet("b")
    pool = Outlets([one, two], make("affinity"))
    one.take(Charge(10), 0)
    two.take(Charge(20), 0)
    assert pool.tally.calls == 2
    pool.arrange([two])
    assert pool.tally.calls == 1
    one.keep(10)
    two.keep(20)
    assert pool.tally.calls == 0


def test_the_pool_is_alerted_by_what_others_did() -> None:
    """A shared breaker that another pool's call closed or opened."""
    shared = Health()
    mine, other = outlet("a", breaker=Breaker(shared)), Breaker(shared)
    heard: list[int] = []
    pool = Outlets([mine], make("weighted"), lambda: heard.append(1))
    other.fail(Reason.AUTH, other.epochs, 0, 0)
    assert heard == [1]
    assert pool.soonest(Charge(1), 0, 0) > 0
    pool.arrange([])
    other.fail(Reason.AUTH, other.epochs, 0, 0)
    assert heard == [1]


def test_the_pool_is_told_of_room() -> None:
    """Another model's call of the scope ended: calls that wait for nothing else may pass, nobody has to be reviewed."""
    cap = Cap(2)
    mine, other = outlet("a", cap=cap), outlet("b", cap=cap)
    alerts: list[int] = []
    rooms: list[int] = []
    pool = Outlets([mine], make("weighted"), lambda: alerts.append(1), lambda: rooms.append(1))
    other.take(Charge(1), 0)
    other.take(Charge(1), 0)
    assert pool.pick(Charge(1), 0, 0, 0, Random(1).random) is None
    assert pool.soonest(Charge(1), 0, 0) == UNTOLD
    other.keep(1)
    assert pool.pick(Charge(1), 0, 0, 0, Random(1).random) is mine
    other.take(Charge(1), 0)
    other.keep(1)
    assert (alerts, rooms) == ([], [1])


def test_a_failure_that_closes_nothing_is_not_told() -> None:
    """Only who opens or closes makes the pool look at its queue."""
    mine = outlet("a")
    heard: list[int] = []
    Outlets([mine], make("weighted"), lambda: heard.append(1))
    breaker = mine.breaker
    breaker.fail(Reason.TRANSIENT, breaker.epochs, 0, 0)
    breaker.succeed(breaker.epochs)
    assert heard == []
    for _ in range(3):
        breaker.fail(Reason.TRANSIENT, breaker.epochs, 0, 0)
    assert heard == [1]
    breaker.succeed(breaker.epochs)
    assert heard == [1, 1]


CHARGES = st.one_of(
    st.builds(Charge, st.integers(0, 4_000)),
    st.builds(Charge, st.integers(1, 80_000), st.sampled_from([0, 500, 70_000])),
)


class Machine(RuleBasedStateMachine):
    """Pools of any size and kind against a scan."""

    @initialize(
        seed=st.integers(0, 10**6),
        size=st.sampled_from([1, 2, 3, 5, 20]),
        strategy=st.sampled_from([*STRATEGIES]),
        small=st.sampled_from([0, SMALL]),
    )
    def build(self, seed: int, size: int, strategy: str, small: int) -> None:
        self.random = random = Random(seed)
        self.now = 10**6
        model, cap = Health(), Cap(random.choice([0, 3]))
        windows = random.choice([["continuous"], ["continuous", "sliding", "quantised"]])
        tpms = random.choice([[60_000], [60_000, 6_000, 600_000, 0]])
        rpms = random.choice([[0], [60], [60, 600]])
        self.outlets = [
            outlet(
                f"o{number}",
                random.choice(rpms),
                random.choice(tpms),
                window=random.choice(windows),
                breaker=Breaker(None, model if number % 2 else None),
                cap=cap if number % 3 == 0 else None,
                weight_milli=random.choice([1_000, 3_000]),
            )
            for number in range(size)
        ]
        for one in self.outlets:
            one.prefixes = Prefixes()
        self.pool = Outlets(self.outlets, make(strategy), small=small)
        self.flying: list[tuple[Outlet, Charge, int, int, tuple[int, int, int]]] = []

    @rule(step=st.one_of(st.integers(0, 10_000), st.integers(0, 3 * SECOND)))
    def pass_time(self, step: int) -> None:
        self.now += step

    @rule(
        charge=CHARGES,
        floor=st.sampled_from([0, 0, 2_000]),
        affinity=st.integers(0, 3),
        prefix=st.sampled_from([0, 0, 0, 1, 2]),
        most=st.sampled_from([1, 2, 10, 25]),
    )
    def serve(self, charge: Charge, floor: int, affinity: int, prefix: int, most: int) -> None:
        charge = Charge(charge.tokens, charge.least, prefix, min(10, charge.least))
        for _ in range(most):
            best = scan(self.outlets, charge, floor, self.now)
            assert self.pool.soonest(charge, floor, self.now) == best
            got = self.pool.pick(charge, floor, affinity, self.now, self.random.random)
            if got is None:
                held = self.pool.soonest(charge, floor, self.now)
                assert best or (held and prefix and affinity), "who can be served is, unless it waits for its cache"
                return
            assert best == 0
            due = got.due(charge, self.now)
            assert got.fits(charge, self.now, floor)
            epochs, probe = got.breaker.epochs, got.take(due, self.now)
            self.flying.append((got, due, self.now, probe, epochs))

    @rule(share=st.floats(0, 1), reason=st.sampled_from([None, None, None, *Reason]), luck=st.integers(0, 10**6))
    def end(self, share: float, reason: Reason | None, luck: int) -> None:
        for _ in range(1 + luck % 7):
            if not self.flying:
                return
            one, charge, taken_at, probe, epochs = self.flying.pop(luck % len(self.flying))
            if reason is None:
                one.settle(charge.tokens, int(charge.tokens * share), taken_at, self.now)
                one.breaker.succeed(epochs)
            elif luck % 5 == 0:
                one.keep(charge.tokens)
                one.breaker.abandon(probe)
            else:
                one.give_back(charge.tokens, taken_at, self.now)
                one.breaker.fail(reason, epochs, probe, self.now, luck % 3 * SECOND or None)

    @rule(luck=st.integers(0, 10**6), prefix=st.integers(1, 2), tokens=st.integers(0, 20_000))
    def learn(self, luck: int, prefix: int, tokens: int) -> None:
        prefixes = self.outlets[luck % len(self.outlets)].prefixes
        assert prefixes is not None
        prefixes.learn(prefix, tokens, self.now)

    @rule(luck=st.integers(0, 10**6), limit=st.sampled_from([6_000, 60_000, 120_000]))
    def resize(self, luck: int, limit: int) -> None:
        one = self.outlets[luck % len(self.outlets)]
        for allowed in one.quota.tokens:
            allowed.resize(limit, self.now)
        self.pool.changed(one)

    @invariant()
    def sums(self) -> None:
        if hasattr(self, "pool"):
            assert self.pool.tally.calls == len(self.flying) == sum(one.calls for one in self.outlets)


TestMachine = Machine.TestCase
TestMachine.settings = settings(max_examples=30, stateful_step_count=15, deadline=None)


@pytest.mark.parametrize("small", [0, SMALL])
def test_room_is_told_again_and_again(small: int) -> None:
    """As long as somebody asks how soon; a pool that is gone leaves no trace at the scope's cap."""
    cap = Cap(1)
    other, outlets = outlet("other", cap=cap), [outlet("a", cap=cap), outlet("b", cap=cap)]
    rooms: list[int] = []
    pool = Outlets(outlets, make("weighted"), None, lambda: rooms.append(1), small=small)
    for turn in range(1, 4):
        other.take(Charge(1), turn)
        assert pool.soonest(Charge(1), 0, turn) == UNTOLD
        other.keep(1)
        assert pool.soonest(Charge(1), 0, turn) == 0
        assert len(rooms) == turn
    assert cap._listeners == {}


@pytest.mark.parametrize("strategy", [*STRATEGIES])
def test_a_backlog_is_served_by_all(strategy: str) -> None:
    """Calls that wait for `soonest` each time use every outlet's quota to the full."""
    random = Random(7)
    outlets = [outlet(f"o{number}", 0, 60_000) for number in range(30)]
    pool = Outlets(outlets, make(strategy))
    now, served, charge = 0, 0, Charge(2_000)
    while now < 60 * SECOND:
        wait = pool.soonest(charge, 0, now)
        now += wait
        got = pool.pick(charge, 0, 0, now, random.random)
        assert got is not None
        got.take(charge, now)
        got.keep(charge.tokens)
        served += 1
    assert served >= 30 * 2 * 30 - 30
