"""Samples of how one node, or a whole cluster, does, out of what each node counted: pure.

Counts are added and ratios made last, so that a node with much to do weighs more than one with little. What every node
knows of the same thing (a limit, a dead key, a budget that all share, jobs in one database) counts once. Where nothing
can be said (no call in the last minute, no limit) there is no sample.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from tidegate.model import shadow
from tidegate.model.drills import PLAN
from tidegate.model.measures import Sample
from tidegate.model.standing import BudgetSums, LaneSums, LimitedSums, NodeStanding, PlanSums, QueueSums, ScopeSums

_OWN: Final = (PLAN, shadow.PLAN)  # calls that the gate makes for itself
_PAUSE_US: Final = 10_000_000  # as `windows.PAUSE_US`, between what two nodes saw


def samples(standings: Sequence[NodeStanding]) -> list[Sample]:
    """All of them, of nodes that were heard lately. O(series)."""
    return [
        *_plans(standings),
        *_queues(standings),
        *_lanes(standings),
        *_limited(standings),
        *_scopes(standings),
        *_budgets(standings),
        *_nodes(standings),
        *_jobs(standings),
    ]


def _plans(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    found: dict[str, PlanSums] = {}
    for one in (one for standing in standings for one in standing.plans if not one.plan.startswith(_OWN)):
        plan = found.setdefault(one.plan, PlanSums(one.plan))
        plan.calls += one.calls
        plan.failed += one.failed
        plan.refused += one.refused
        plan.moved += one.moved
    for plan in found.values():
        if plan.calls > 0:
            labels = (("plan", plan.plan),)
            yield Sample("error_rate_percent", labels, _percent(plan.failed, plan.calls))
            yield Sample("refusal_rate_percent", labels, _percent(plan.refused, plan.calls))
            yield Sample("fallback_rate_percent", labels, _percent(plan.moved, plan.calls))


def _queues(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    found: dict[tuple[str, str], QueueSums] = {}
    for one in (one for standing in standings for one in standing.queues):
        queue = found.setdefault((one.pool, one.model), QueueSums(one.pool, one.model))
        queue.left += one.left
        queue.waited_us += one.waited_us
        queue.waiting += one.waiting
        queue.waiting_us += one.waiting_us
    for queue in found.values():
        calls = queue.left + queue.waiting
        if calls > 0:
            labels = (("model", queue.model), ("pool", queue.pool))
            yield Sample("queue_wait_ms", labels, (queue.waited_us + queue.waiting_us) / calls / 1_000)


def _lanes(standings: Sequence[NodeStanding]) -> Iterator[Sample]:
    found: dict[tuple[str, str, str], LaneSums] = {}
    now = max((standing.at_us for standing in standings), default=0)
    for one in (one for standing in standings for one in standing.lanes if not one.provider.startswith(PLAN)):
        name = one.provider, one.scope, one.model
        lane = found.setdefault(name, LaneSums(*name))
        lane.tokens += one.tokens
        lane.requests += one.requests
        lane.throttled += one.throttled
        lane.limit_tokens = max(lane.limit_tokens, one.limit_tokens)
        lane.limit_requests = max(lane.limit_requests, one.limit_requests)
        lane.closed_since_us = _earliest(lane.closed_since_us, one.closed_since_us)
    for lane in found.values():
        labels = (("model", lane.model), ("provider", lane.provider), ("scope", lane.scope))
        if lane.limit_tokens > 0:
            yield Sample("token_utilisation_percent", labels, _percent(lane.tokens, lane.limit_tokens))
        if lane.limit_requests > 0:
            yield Sample("request_utilisation_percent", labels, _percent(lane.requests, lane.limit_requests))
        yield Sample("throttled_per_minute", labels, float(lane.throttled))
        yield Sample("lane_closed_seconds", labels, _seconds(lane.closed_since_us, now))


def _limited(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    """A model is limited while it is at any node: the stretches that they saw, joined."""
    found: dict[str, list[LimitedSums]] = {}
    for one in (one for standing in standings for one in standing.limited):
        found.setdefault(one.model, []).append(one)
    for model, stretches in found.items():
        since = until = 0
        for one in sorted(stretches, key=lambda stretch: stretch.since_us):
            if one.since_us and one.since_us - until > _PAUSE_US:
                since = one.since_us
            until = max(until, one.until_us)
        yield Sample("limited_seconds", (("model", model),), _seconds(since, until))


def _scopes(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    found: dict[tuple[str, str], ScopeSums] = {}
    for one in (one for standing in standings for one in standing.scopes):
        scope = found.setdefault((one.provider, one.scope), ScopeSums(one.provider, one.scope))
        scope.dead = max(scope.dead, one.dead)
    for scope in found.values():
        yield Sample("keys_dead", (("provider", scope.provider), ("scope", scope.scope)), float(scope.dead))


def _budgets(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    found: dict[tuple[str, str], BudgetSums] = {}
    every = (one for standing in standings for one in standing.budgets)
    for one in (one for one in every if not one.namespace.startswith(shadow.PLAN)):
        budget = found.setdefault((one.namespace, one.period), BudgetSums(one.namespace, one.period))
        budget.used += one.used
        budget.told = max(budget.told, one.told)
        budget.limit = max(budget.limit, one.limit)
    for budget in found.values():
        if budget.limit > 0:
            labels = (("namespace", budget.namespace), ("period", budget.period))
            yield Sample("budget_used_percent", labels, _percent(max(budget.used, budget.told), budget.limit))


def _nodes(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    for node in standings:
        labels = (("node", node.node),)
        yield Sample("journal_behind_bytes", labels, float(node.journal_behind_bytes))
        yield Sample("journal_failing_seconds", labels, _seconds(node.journal_failing_since_us, node.at_us))
        yield Sample("database_down_seconds", labels, _seconds(node.database_down_since_us, node.at_us))
        yield Sample("shared_state_lost_seconds", labels, _seconds(node.shared_lost_since_us, node.at_us))
        yield Sample("worker_restarts", labels, float(node.worker_restarts))
        yield Sample("workers_down", labels, float(node.workers_down))


def _jobs(standings: Iterable[NodeStanding]) -> Iterator[Sample]:
    dead = max((standing.jobs_dead for standing in standings), default=-1)
    if dead >= 0:
        yield Sample("jobs_dead_per_hour", (), float(dead))


def _percent(part: int, whole: int) -> float:
    return 100.0 * max(0, part) / whole


def _earliest(one: int, other: int) -> int:
    return min(one, other) if one and other else one or other


def _seconds(since_us: int, now: int) -> float:
    return max(0, now - since_us) / 1e6 if since_us else 0.0
