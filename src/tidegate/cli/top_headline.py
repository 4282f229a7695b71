"""One sentence that says what is happening now: the worst first. Pure."""

from collections.abc import Callable
from typing import Final, NamedTuple

from tidegate.cli.spark import span
from tidegate.cli.top_state import Quota, State, share

_FULL: Final = 0.95
_FAILING: Final = 0.01  # of calls


class Headline(NamedTuple):
    """The sentence, and how bad it is: bad | busy | well."""

    text: str
    mood: str


def headline(state: State) -> Headline:
    """Of all that could be said, what somebody must know first."""
    for finder in _FINDERS:
        text = finder(state)
        if text:
            return Headline(text, "bad")
    text = _busy(state)
    return Headline(text, "busy") if text else Headline(_well(state), "well")


def _not_ready(state: State) -> str:
    if state.draining:
        return "The gate drains: it finishes its calls and takes no new ones."
    return "" if state.ready else "No worker is ready: calls wait for one, or are refused."


def _workers(state: State) -> str:
    down = [one.name for one in state.processes if not one.ready]
    return f"{_some(down, 'worker is', 'workers are')} not ready: the others carry the calls." if down else ""


def _closed(state: State) -> str:
    """All scopes of a model, else some."""
    if not state.closed:
        return ""
    shut = {(one.provider, one.scope, one.model) for one in state.closed}
    for model in sorted({one.model for one in state.closed}):
        lanes = {(one.provider, one.scope, one.model) for one in state.quotas if one.model == model}
        if lanes <= shut:
            return f"Every scope of {model} is closed, since it was refused: its calls wait or fall back."
    first = state.closed[0]
    more = f" and {len(state.closed) - 1} more" if len(state.closed) > 1 else ""
    lasts = f" for {span(first.seconds)}" if first.seconds >= 1 else ""
    return f"{first.provider}/{first.scope} {first.model}{more} closed{lasts}: other scopes carry its calls."


def _failing(state: State) -> str:
    """What the gate refuses with 503 is no failure: it is told apart."""
    failed = state.failed - state.refused
    if failed <= 0 or failed < state.calls * _FAILING:
        return ""
    return f"{failed:,.1f} of {state.calls:,.1f} calls a second fail."


def _keys(state: State) -> str:
    if not state.dead_keys:
        return ""
    count = sum(one.count for one in state.dead_keys)
    scopes = [f"{one.provider}/{one.scope}" for one in state.dead_keys]
    return f"{count} key{'s' if count > 1 else ''} of {_listed(scopes)} refused by the provider."


def _ledger(state: State) -> str:
    if state.ledger_up is False:
        return "The ledger's database is away: the journal keeps the records, and calls go on."
    return "More of the journal than is allowed waits for the database." if state.ledger_alarm else ""


def _critical(state: State) -> str:
    worst = [one for one in state.alarms if one.severity == "critical" and not one.silenced and not one.taken_by]
    if not worst:
        return ""
    more = f", and {len(worst) - 1} more" if len(worst) > 1 else ""
    return f"{worst[0].rule}: {worst[0].what}{more}." if worst[0].what else f"{worst[0].rule}{more}."


_FINDERS: Final[tuple[Callable[[State], str], ...]] = (
    _not_ready, _workers, _closed, _failing, _keys, _ledger, _critical,
)  # fmt: skip


def _busy(state: State) -> str:
    """Somebody waits, is refused, or soon will be."""
    waiting = sum(sum(queue.waiting.values()) for queue in state.queues)
    full = next((one for one in state.quotas if _fullness(one) >= _FULL), None)
    why = f": {_named(full)} is used up ({_percent(full)})" if full else ""
    refused = f"; {state.refused:,.1f} a second are refused" if state.refused > 0 else ""
    if waiting:
        longest = max(queue.oldest_seconds for queue in state.queues)
        who = f"{waiting} call{'s' if waiting > 1 else ''} wait{'' if waiting > 1 else 's'}"
        return f"{who}, the longest for {longest:.1f} s{why}{refused}."
    if state.throttled > 0:
        return f"Providers refuse {state.throttled:,.1f} calls a second with 429{why}{refused}."
    if state.refused > 0:
        return f"{state.refused:,.1f} calls a second are refused{why}."
    return f"{_named(full)} is used up ({_percent(full)}); nobody waits yet." if full else ""


def _well(state: State) -> str:
    flow = f"{state.calls:,.1f} calls a second" if state.calls else "no calls"
    if not state.quotas:
        return f"All is well: {flow}."
    return f"All is well: {flow}; the fullest quota is {_named(state.quotas[0])} ({_percent(state.quotas[0])})."


def _named(quota: Quota) -> str:
    return f"{quota.provider}/{quota.scope} {quota.model}"


def _percent(quota: Quota) -> str:
    return f"{100 * _fullness(quota):.0f} % of its {quota.unit}"


def _fullness(quota: Quota) -> float:
    return share(max(quota.used, quota.held), quota.limit)


def _some(names: list[str], one: str, several: str) -> str:
    return f"1 {one}" if len(names) == 1 else f"{len(names)} {several}"


def _listed(names: list[str]) -> str:
    return names[0] if len(names) == 1 else f"{names[0]} and {len(names) - 1} other scopes"
