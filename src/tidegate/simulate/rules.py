"""What a scenario must hold beyond the shape of its parts."""

from collections.abc import Iterator

from tidegate.simulate.scenario import Fault, Group, Pattern, Scenario

Complaint = tuple[tuple[str | int, ...], str, str]  # where, what is wrong, what would be right


def check(scenario: Scenario) -> Iterator[Complaint]:
    """Everything that is wrong, in the order of the parts."""
    if scenario.warmup_s >= scenario.duration_s:
        yield ("warmup_s",), "nothing would be counted", "make it shorter than duration_s"
    yield from _pool(scenario)
    yield from _names(scenario)
    for index, group in enumerate(scenario.tenants):
        for path, message, remedy in (*_pattern(group.pattern), *_group(group)):
            yield ("tenants", index, *path), message, remedy
    for index, fault in enumerate(scenario.faults):
        for name, message, remedy in _fault(fault, scenario):
            yield ("faults", index, name), message, remedy


def accounts(scenario: Scenario) -> list[str]:
    """The names of all accounts: a scope of several has a-1, a-2 and so on."""
    return [
        scope.name if scope.count == 1 else f"{scope.name}-{number}"
        for scope in scenario.pool.scopes
        for number in range(1, scope.count + 1)
    ]


def owners(scenario: Scenario) -> list[str]:
    """The names of all owners of shards."""
    return [f"owner-{number}" for number in range(1, scenario.shards.owners + 1)] if scenario.shards else []


def _pool(scenario: Scenario) -> Iterator[Complaint]:
    pool = scenario.pool
    names = accounts(scenario)
    if len(set(names)) < len(names):
        yield ("pool", "scopes"), "two accounts have the same name", "give every scope a name of its own"
    low, high = pool.network_ms
    if low > high:
        yield ("pool", "network_ms"), "the least delay is above the most", "write [least, most]"
    if scenario.shards and scenario.shards.count > len(names):
        yield ("shards", "count"), "more shards than accounts", f"at most {len(names)}: a shard holds whole accounts"


def _names(scenario: Scenario) -> Iterator[Complaint]:
    seen: set[str] = set()
    for index, group in enumerate(scenario.tenants):
        if group.name in seen:
            yield ("tenants", index, "name"), "two groups have the same name", "give each a name of its own"
        seen.add(group.name)


def _pattern(pattern: Pattern) -> Iterator[Complaint]:
    if pattern.from_s >= pattern.to_s:
        yield ("pattern", "from_s"), "the pattern ends before it begins", "make from_s less than to_s"
    if pattern.kind == "curve":
        times = [point.at_s for point in pattern.points]
        if not times or not any(point.rate for point in pattern.points):
            yield ("pattern", "points"), "a curve without a call", "give points such as {at_s: 0, rate: 10}"
        elif times != sorted(times):
            yield ("pattern", "points"), "the points are not in order of time", "sort them by at_s"
    elif pattern.points:
        yield ("pattern", "points"), f"a pattern of kind {pattern.kind} has no points", "write `kind: curve`"


def _group(group: Group) -> Iterator[Complaint]:
    if group.skew and group.pattern.kind == "steady":
        yield ("skew",), "a steady pattern goes from tenant to tenant", "leave skew out, or write `kind: poisson`"


def _fault(fault: Fault, scenario: Scenario) -> Iterator[tuple[str, str, str]]:
    if fault.at_s >= scenario.duration_s:
        yield "at_s", "it would happen after the end", "make it less than duration_s"
    known, wanted = accounts(scenario), fault.scope
    if fault.kind == "owner":
        if fault.owner not in owners(scenario):
            yield "owner", "no such owner", f"one of {_listed(owners(scenario))}"
        elif scenario.shards and fault.for_s * 1_000 <= scenario.shards.notice_ms:
            yield "for_s", "it is back before anybody noticed", "make it longer than shards.notice_ms"
    elif wanted and wanted not in known:
        yield "scope", "no such account", f"one of {_listed(known)}, or leave it out for all"


def _listed(names: list[str]) -> str:
    if not names:
        return "none: the scenario has no shards"
    return ", ".join(names) if len(names) <= 8 else f"{names[0]} … {names[-1]}"
