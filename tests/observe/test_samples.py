"""Samples of one node, and of several together."""

from tidegate.model.measures import METRICS, Sample
from tidegate.model.standing import (
    BudgetSums,
    LaneSums,
    LimitedSums,
    NodeStanding,
    PlanSums,
    QueueSums,
    ScopeSums,
)
from tidegate.observe.samples import samples

SECOND = 1_000_000
NOW = 1_000 * SECOND


def of(metric: str, *standings: NodeStanding) -> dict[tuple[str, ...], float]:
    """By the values of its labels, in the order of their names."""
    found = [sample for sample in samples(standings) if sample.metric == metric]
    return {tuple(value for _, value in sample.labels): sample.value for sample in found}


def test_all_that_counters_tell_is_there() -> None:
    """With the labels that the metric has, sorted; each once."""
    full = NodeStanding(
        "one",
        NOW,
        [PlanSums("chat", 1)],
        [QueueSums("p", "m", 1)],
        [LaneSums("openai", "main", "m", 1, 10, 1, 10)],
        [LimitedSums("m")],
        [ScopeSums("openai", "main")],
        [BudgetSums("acme", "money_day", 1, 0, 10)],
        jobs_dead=0,
    )
    found = samples([full])
    elsewhere = {"quota_exhausted_in_seconds", "drill_failed", "drill_expired"}  # the store and the drills know
    assert {sample.metric for sample in found} == METRICS.keys() - elsewhere
    assert len({(sample.metric, sample.labels) for sample in found}) == len(found)
    for sample in found:
        assert tuple(name for name, _ in sample.labels) == tuple(sorted(METRICS[sample.metric].labels))


def test_shares_of_calls() -> None:
    """Counts of nodes are added before they are divided; a plan without a call has no share."""
    one = NodeStanding("one", NOW, [PlanSums("chat", 900, 9, 90, 45), PlanSums("idle")])
    two = NodeStanding("two", NOW, [PlanSums("chat", 100, 1, 10, 5), PlanSums("drill:nightly", 9, 9, 9, 9)])  # no call
    assert of("error_rate_percent", one, two) == {("chat",): 1.0}
    assert of("refusal_rate_percent", one, two) == {("chat",): 10.0}
    assert of("fallback_rate_percent", one, two) == {("chat",): 5.0}


def test_the_wait_is_that_of_all_calls() -> None:
    """Those that left, at once or later, and those that still wait: a queue that stands still is no quick one."""
    one = NodeStanding("one", NOW, queues=[QueueSums("p", "m", 8, 1 * SECOND), QueueSums("p", "idle")])
    two = NodeStanding("two", NOW, queues=[QueueSums("p", "m", 0, 0, 2, 4 * SECOND)])
    assert of("queue_wait_ms", one, two) == {("m", "p"): 500.0}


def test_use_of_a_quota() -> None:
    """What all nodes were charged, over the limit that they all know; without a limit there is no share."""
    one = NodeStanding("one", NOW, lanes=[LaneSums("o", "s", "m", 500, 1_000, 3, -1, 2, NOW - 5 * SECOND)])
    two = NodeStanding("two", NOW + SECOND, lanes=[LaneSums("o", "s", "m", 400, 1_000, 3, -1, 1, NOW - 2 * SECOND)])
    lane = ("m", "o", "s")
    assert of("token_utilisation_percent", one, two) == {lane: 90.0}
    assert of("request_utilisation_percent", one, two) == {}
    assert of("throttled_per_minute", one, two) == {lane: 3.0}
    assert of("lane_closed_seconds", one, two) == {lane: 6.0}
    assert of("lane_closed_seconds", NodeStanding("three", NOW, lanes=[LaneSums("o", "s", "m")])) == {lane: 0.0}


def test_what_a_candidate_fails_and_spends_alarms_nobody() -> None:
    """Shadow traffic is nobody's call, and its money ends every day that it is meant to."""
    budgets = [BudgetSums("shadow:chat", "day", 100, 100, 100)]
    standing = NodeStanding("one", NOW, [PlanSums("shadow:chat", 9, 9)])
    standing.budgets.extend(budgets)
    assert not {one.metric for one in samples([standing])} & {"error_rate_percent", "budget_used_percent"}


def test_what_a_drill_does_on_purpose_alarms_nobody() -> None:
    """Neither its calls nor the double of a provider that it breaks."""
    made = [LaneSums("drill:openai", "drill", "m", 1, 10, 9)]
    found = samples([NodeStanding("one", NOW, [PlanSums("drill:nightly", 9, 9)], [], made)])
    assert {tuple(name for name, _ in one.labels) for one in found} <= {("node",), ()}


def test_a_limit_that_one_node_sees_after_the_other() -> None:
    """Goes on where the pause between them is short, and begins anew where it is not."""

    def node(since: int, until: int) -> NodeStanding:
        return NodeStanding("n", NOW, limited=[LimitedSums("m", since * SECOND, until * SECOND)])

    assert of("limited_seconds", node(100, 300), node(310, 400)) == {("m",): 300.0}
    assert of("limited_seconds", node(311, 400), node(100, 300)) == {("m",): 89.0}
    assert of("limited_seconds", node(100, 400), node(200, 300), node(0, 0)) == {("m",): 300.0}
    assert of("limited_seconds", node(0, 0)) == {("m",): 0.0}


def test_what_all_know_counts_once() -> None:
    """Dead keys, what all have used of a budget, jobs in one database."""
    one = NodeStanding("one", NOW, scopes=[ScopeSums("o", "s", 2)], budgets=[BudgetSums("a", "d", 10, 35, 50)])
    two = NodeStanding("two", NOW, scopes=[ScopeSums("o", "s", 1)], budgets=[BudgetSums("a", "d", 20, 40, 50)])
    one.jobs_dead, two.jobs_dead = 3, 4
    assert of("keys_dead", one, two) == {("o", "s"): 2.0}
    assert of("budget_used_percent", one, two) == {("a", "d"): 80.0}
    two.budgets[0].used = 40
    assert of("budget_used_percent", one, two) == {("a", "d"): 100.0}
    assert of("jobs_dead_per_hour", one, two) == {(): 4.0}
    assert of("jobs_dead_per_hour", NodeStanding("three", NOW)) == {}


def test_nodes_are_told_apart() -> None:
    """What is a node's own has its name."""
    one = NodeStanding("one", NOW, journal_behind_bytes=5, database_down_since_us=NOW - 3 * SECOND, worker_restarts=2)
    two = NodeStanding(
        "two", NOW, shared_lost_since_us=NOW - 4 * SECOND, workers_down=1, journal_failing_since_us=NOW - 6 * SECOND
    )
    assert of("journal_behind_bytes", one, two) == {("one",): 5.0, ("two",): 0.0}
    assert of("database_down_seconds", one, two) == {("one",): 3.0, ("two",): 0.0}
    assert of("shared_state_lost_seconds", one, two) == {("one",): 0.0, ("two",): 4.0}
    assert of("journal_failing_seconds", one, two) == {("one",): 0.0, ("two",): 6.0}
    assert of("worker_restarts", one, two) == {("one",): 2.0, ("two",): 0.0}
    assert of("workers_down", one, two) == {("one",): 0.0, ("two",): 1.0}


def test_without_nodes_there_is_nothing() -> None:
    """No standing, no sample."""
    assert samples([]) == []
    assert Sample("workers_down", (("node", "n"),), 0.0) in samples([NodeStanding("n", NOW)])
