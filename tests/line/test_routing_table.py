"""Who serves which model; what a reload keeps."""

import msgspec
import pytest

from tests.line.scenes import CALM, PROFILE, provider, snapshot
from tidegate.line.lane import LaneState
from tidegate.line.lanes import Lanes
from tidegate.line.plan import Plan
from tidegate.line.routing_table import MAX_NAMED_BY_CALLERS, UNROUTED, RoutingTable
from tidegate.model.belief import Belief
from tidegate.model.snapshot import DegradeStep, Limits, ModelEntry, RateLimitPolicy, Scope, Snapshot, Strategy
from tidegate.model.tenant import NOBODY
from tidegate.policy.quota.quota import Charge
from tidegate.testing import ManualClock, ScriptedTransport
from tidegate.testing.clock import SECOND


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def book_of(configured: Snapshot, clock: ManualClock, lanes: Lanes | None = None) -> RoutingTable:
    return RoutingTable(configured, lanes or Lanes(clock, 100, lambda: 0.0), lambda _: ScriptedTransport()).adopt()


def plan(book: RoutingTable, model: str) -> Plan:
    found = book.plan(model)
    assert found is not None
    return found


def targets(book: RoutingTable, model: str) -> list[str]:
    return [f"{target.provider}/{target.model}" for target in plan(book, model).targets]


def strategy(name: str, primary: str, *fallbacks: str, **rules: object) -> Strategy:
    return Strategy(name, primary, tuple(fallbacks), smoothing=CALM, **rules)  # type: ignore[arg-type]


def two(*strategies: Strategy) -> Snapshot:
    """Provider `one` limits a and b, provider `two` has b and c as models."""
    first = provider("one", {"a": Limits(60, 6_000), "b": Limits(60, 6_000)})
    second = provider("two", {}, models={"b": ModelEntry(), "c": ModelEntry(tools=False)})
    return Snapshot(1, (first, second), strategies)


# ── resolution ───────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("model", "served"),
    [
        ("s", ["one/a", "two/c"]),  # a strategy by its name
        ("a", ["one/a", "two/c"]),  # or by its primary
        ("b", ["one/b"]),  # the first provider whose limits or models name it
        ("c", ["two/c"]),
    ],
)
def test_resolution(clock: ManualClock, model: str, served: list[str]) -> None:
    """Strategy, its primary, then whoever names the model."""
    assert targets(book_of(two(strategy("s", "a", "c")), clock), model) == served


def test_a_model_that_nobody_names(clock: ManualClock) -> None:
    """With several providers nobody serves it, with one that one does; limits are no allow-list."""
    assert book_of(two(), clock).plan("unheard-of") is None
    assert targets(book_of(snapshot(), clock), "unheard-of") == ["openai/unheard-of"]


@pytest.mark.parametrize("model", ["b", "x", "s"])
def test_the_models_of_a_provider_without_scopes_are_nobodys(clock: ManualClock, model: str) -> None:
    """It is another worker's: no other provider is asked for them, though it be the only one that is left."""
    whole = two(strategy("s", "a"), strategy("t", "a", "c"))
    first = msgspec.structs.replace(
        whole.providers[0], scopes=(), models={"a": ModelEntry(), "b": ModelEntry(), "x": ModelEntry()}
    )
    book = book_of(msgspec.structs.replace(whole, providers=(whole.providers[1], first)), clock)
    assert targets(book, "t") == ["two/c"]
    assert list(book.unrouted) == ["two"]
    if model == "b":
        assert targets(book, model) == ["two/b"]
    else:
        assert book.plan(model) is None
        assert model not in book.models


@pytest.mark.parametrize("model", [UNROUTED, "openai"])
def test_what_is_forwarded_without_a_model_cannot_be_named(clock: ManualClock, model: str) -> None:
    """`*` is the lane of all other routes; a provider's name is no model of several."""
    assert book_of(two(), clock).plan(model) is None
    assert book_of(snapshot(provider(limits={UNROUTED: Limits(5, 0)})), clock).plan(UNROUTED) is None


def test_unrouted_paths_have_a_plan_per_provider(clock: ManualClock) -> None:
    """In the file's order, governed by the limits of `*`."""
    book = book_of(snapshot(provider("one", {UNROUTED: Limits(7, 0)}), provider("two", {})), clock)
    assert list(book.unrouted) == ["one", "two"]
    assert book.unrouted["one"].targets[0].pools[0].lanes[0].quota.requests[0].limit == 7
    assert book.unrouted["two"].targets[0].pools[0].lanes[0].quota.requests == ()


def test_the_first_strategy_owns_its_primary_and_every_one_its_name(clock: ManualClock) -> None:
    """Two strategies with one primary: the model's name means the first, each name its own."""
    book = book_of(two(strategy("first", "a", "b"), strategy("second", "a", "c")), clock)
    assert plan(book, "a").name == "first"
    assert targets(book, "second") == ["one/a", "two/c"]


def test_a_fallback_that_nobody_serves_is_left_out(clock: ManualClock) -> None:
    """`check` warns; the strategy serves with the rest, or not at all."""
    book = book_of(two(strategy("s", "a", "nobody", "c"), strategy("t", "nobody")), clock)
    assert targets(book, "s") == ["one/a", "two/c"]
    assert book.plan("t") is None


def test_a_fallback_can_be_named_too(clock: ManualClock) -> None:
    """By the same lane: it has one quota, whoever comes by which name."""
    book = book_of(snapshot(provider(), name="s", fallback_models=("b",)), clock)
    assert "b" in book.models
    assert plan(book, "b").targets[0].pools[0].lanes[0] is plan(book, "s").targets[1].pools[0].lanes[0]


def test_what_is_listed(clock: ManualClock) -> None:
    """Models and strategies by name, nothing that only a caller named."""
    book = book_of(two(strategy("s", "a", "c")), clock)
    assert set(book.models) == {"a", "b", "c", "s"}


# ── lanes ────────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_lane_for_each_scope_and_model(clock: ManualClock) -> None:
    """A quota is a scope's, its keys share it; another scope has another."""
    scopes = (Scope("x", ("k1", "k2"), {"a": Limits(1, 2)}), Scope("y", ("k3",), {"a": Limits(3, 4)}))
    book = book_of(snapshot(provider(scopes=scopes)), clock)
    first, second = plan(book, "a").targets[0].pools[0].lanes
    assert (first.configured, second.configured) == (Limits(1, 2), Limits(3, 4))
    assert (len(first.keys), len(second.keys)) == (2, 1)
    other = plan(book, "b").targets[0].pools[0].lanes[0]
    assert other is not first
    assert other.keys is first.keys  # a refused key leaves for every model


def test_a_bound_holds_for_the_primary_only(clock: ManualClock) -> None:
    """Requests, tokens and burst, the strictest; nothing where nothing is stated."""
    rules = RateLimitPolicy(max_rpm=3_000, max_tpm=150_000, bucket_capacity=100, refill_rate_milli=5_000)
    book = book_of(two(strategy("s", "a", "c", rate_limit=rules)), clock)
    primary, fallback = plan(book, "s").targets
    assert fallback.bound is None
    assert primary.bound is not None
    requests, burst = primary.bound.lanes[0].quota.requests
    assert (requests.limit, burst.limit) == (3_000, 100)
    assert primary.bound.lanes[0].quota.tokens[0].limit == 150_000
    for _ in range(100):
        assert primary.bound.take_nowait(NOBODY, Charge(0), 0, clock.now())
    assert primary.bound.predict(NOBODY, Charge(0), clock.now()).wait_us == SECOND // 5


@pytest.mark.parametrize(
    "rules",
    [
        RateLimitPolicy(),
        RateLimitPolicy(bucket_capacity=10),
        RateLimitPolicy(refill_rate_milli=10),
    ],
)
def test_without_a_whole_statement_there_is_no_bound(clock: ManualClock, rules: RateLimitPolicy) -> None:
    """A burst needs its refill."""
    assert plan(book_of(two(strategy("s", "a", rate_limit=rules)), clock), "s").targets[0].bound is None


@pytest.mark.parametrize(("capacity", "refill"), [(1, 10**12), (10**12, 1), (1, 1), (10**12, 10**12)])
def test_any_burst_can_be_held(clock: ManualClock, capacity: int, refill: int) -> None:
    """The most absurd that `check` lets pass."""
    rules = RateLimitPolicy(bucket_capacity=capacity, refill_rate_milli=refill)
    bound = plan(book_of(two(strategy("s", "a", rate_limit=rules)), clock), "s").targets[0].bound
    assert bound is not None
    assert bound.take_nowait(NOBODY, Charge(0), 0, clock.now())


# ── reload ───────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_a_reload_keeps_lanes_and_what_they_know(clock: ManualClock) -> None:
    """The level stays, the new limits hold; a new scope is a new lane."""
    lanes = Lanes(clock, 100, lambda: 0.0)
    old = (
        plan(book_of(snapshot(provider(limits={"a": Limits(60, 6_000)})), clock, lanes), "a")
        .targets[0]
        .pools[0]
        .lanes[0]
    )
    old.quota.tokens[0].take(5_000, clock.now())
    book = book_of(snapshot(provider(limits={"a": Limits(60, 4_000)})), clock, lanes)
    lane = plan(book, "a").targets[0].pools[0].lanes[0]
    assert lane is old
    assert lane.configured == Limits(60, 4_000)
    assert lane.quota.tokens[0].limit == 4_000
    assert lane.quota.tokens[0].left(clock.now()) == 1_000
    changed = book_of(snapshot(provider(keys=("sk-2",))), clock, lanes)
    assert plan(changed, "a").targets[0].pools[0].lanes[0] is not old


def test_a_reload_keeps_a_bound_that_stays_the_same(clock: ManualClock) -> None:
    """A reload is no way to a fresh burst; a changed bound starts anew."""
    lanes = Lanes(clock, 100, lambda: 0.0)
    rules = RateLimitPolicy(max_rpm=60)
    bounds = []
    for policy in (rules, rules, RateLimitPolicy(max_rpm=30)):
        bound = plan(book_of(two(strategy("s", "a", rate_limit=policy)), clock, lanes), "s").targets[0].bound
        assert bound is not None
        bounds.append(bound)
    assert bounds[0] is bounds[1]
    assert bounds[2] is not bounds[1]


def test_a_reload_hands_the_new_transport_to_old_lanes(clock: ManualClock) -> None:
    """A changed proxy or certificate authority holds from now on."""
    lanes = Lanes(clock, 100, lambda: 0.0)
    lane = plan(book_of(snapshot(), clock, lanes), "a").targets[0].pools[0].lanes[0]
    transport = ScriptedTransport()
    RoutingTable(snapshot(), lanes, lambda _: transport).adopt()
    assert lane.service.transport is transport


def test_what_an_earlier_run_knew_is_recalled_once(clock: ManualClock) -> None:
    """By base URL, credentials and model."""
    key = plan(book_of(snapshot(), clock), "a").targets[0].pools[0].lanes[0].key
    known = LaneState(Belief(), Belief(30_000), (), 5, 10_000, clock.now())
    lanes = Lanes(clock, 100, lambda: 0.0, {key: known, "stranger": LaneState()})
    lane = plan(book_of(snapshot(), clock, lanes), "a").targets[0].pools[0].lanes[0]
    assert lane.quota.tokens[0].limit == 30_000
    assert lane.quota.tokens[0].left(clock.now()) == 10_000


def test_a_key_never_stands_in_a_lanes_name(clock: ManualClock) -> None:
    """What is written to disk and told in headers holds digests and names only."""
    lane = plan(book_of(snapshot(provider(keys=("sk-secret",))), clock), "a").targets[0].pools[0].lanes[0]
    assert "sk-secret" not in lane.key + lane.name


# ── memory and cost ──────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize("prefix", ["m", "meta-llama/m", "a/b/c/"])
def test_models_that_only_callers_name_are_remembered_within_bounds(clock: ManualClock, prefix: str) -> None:
    """Random names fill no memory, whatever they look like, and those in use are not pushed out."""
    lanes = Lanes(clock, 100, lambda: 0.0)
    book = book_of(snapshot(), clock, lanes)
    configured = len(list(lanes))
    used = plan(book, "used")
    for number in range(3 * MAX_NAMED_BY_CALLERS):
        plan(book, f"{prefix}{number}")
        assert plan(book, "used") is used
    assert len(list(lanes)) == configured + MAX_NAMED_BY_CALLERS
    assert used.targets[0].pools[0].lanes[0] in list(lanes)


def test_a_look_up_costs_the_same_in_a_large_book(clock: ManualClock) -> None:
    """Ten thousand models and strategies: composed once, found by one look; their number changes nothing."""
    count = 10_000
    limits = {f"m{number}": Limits(60, 6_000) for number in range(count)}
    strategies = tuple(strategy(f"s{number}", f"m{number}", f"m{count - 1 - number}") for number in range(count))
    lanes = Lanes(clock, 100, lambda: 0.0)
    book = book_of(Snapshot(1, (provider(limits=limits),), strategies), clock, lanes)
    assert len(book.models) == 2 * count
    assert len(list(lanes)) == count + 1
    assert (
        plan(book, f"s{count - 1}").targets[0].pools[0].lanes[0]
        is plan(book, f"m{count - 1}").targets[0].pools[0].lanes[0]
    )


def test_the_base_url_is_taken_apart_once(clock: ManualClock) -> None:
    """Host, path and credential header are ready for a request's head."""
    service = plan(book_of(snapshot(), clock), "a").targets[0].pools[0].lanes[0].service
    assert (service.host, service.prefix, service.auth) == (b"openai.test", b"/v1", b"authorization: Bearer ")
    assert service.profile is PROFILE


def test_the_default_ladder_may_name_another_model(clock: ManualClock) -> None:
    """In plans of models, and in those of what is forwarded without one."""
    step = DegradeStep("model", ("paid",), model="b")
    configured = msgspec.structs.replace(two(), defaults=Strategy("", "", smoothing=CALM, degrade=(step,)))
    book = book_of(configured, clock)
    for composed in (plan(book, "a"), book.unrouted["two"]):
        assert [rung.target.model for rung in composed.ladder if rung.target is not None] == ["b"]
