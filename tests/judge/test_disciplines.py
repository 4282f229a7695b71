"""From what was seen to measures, discipline by discipline, in tables."""

import pytest

from tidegate.judge.client import Ask
from tidegate.judge.course import DISCIPLINES, heats
from tidegate.judge.disciplines import books, failover, fairness, overhead, quota, retry, storm
from tidegate.judge.faults import AFTER, CELLS, TOKENS, Cell, wrong
from tidegate.judge.hearing import Heard
from tidegate.judge.rules import Verdict
from tidegate.load.visits import End, Try, Visit

SECOND = 1_000_000


def events(rate: float, seconds: int, limit: int) -> list[list[object]]:
    """Attempts at a steady rate before a bucket of `limit` a minute, as the twin logs them."""
    level, found = float(limit), list[list[object]]()
    for number in range(int(rate * seconds)):
        level = min(limit, level + limit / 60 / rate)
        admitted = level >= 1
        level -= admitted
        found.append([int(number / rate * SECOND), "sk", "m", "", 20, "" if admitted else "avoidable"])
    return found


def scores(rows: list[list[object]]) -> list[float | None]:
    limit = quota.Limit("m", "requests", 120, 1)
    return [one.score for one in quota.measures(limit, rows, 60 * SECOND, 60)]


def test_a_gate_that_keeps_the_limit_has_all() -> None:
    """Exactly the limit's rate: nothing over, nothing avoidable, all used."""
    assert scores(events(2, 120, 120)) == [100, 100, 100]


def test_a_gate_that_forwards_everything_loses_where_it_is_wrong() -> None:
    """Three times the rate: the quota is used, and the limit is not kept."""
    over, avoidable, used = scores(events(6, 120, 120))
    assert over == 0
    assert avoidable is not None
    assert avoidable < 60
    assert used == 100


def test_a_gate_that_holds_back_half_uses_half() -> None:
    """Caution is no virtue: what is not used is lost."""
    assert scores(events(1, 120, 120))[2] == pytest.approx(51, abs=1)


def test_what_nobody_heard_was_spent_for_nothing() -> None:
    """A gate that asks on for clients who have left uses the quota, and has no more than what arrived."""
    visits = [visit((A, -1)), visit((F, -1)), visit((F, -1)), visit((R, 1))]
    rows = [[0, "sk", "m", "", 20, ""]] * 3 + [[0, "sk", "m", "", 20, "avoidable"]]
    reached, told = quota.heard(visits, rows)
    assert reached.score == pytest.approx(100 / 3)
    assert told.score is None


def visit(*tries: tuple[End, float], tenant: str = "c", done: float = 1.0) -> Visit:
    rows = [Try(0, int(done * SECOND), 200, end, int(told * SECOND) if told >= 0 else -1) for end, told in tries]
    return Visit(tenant, 0, 20, 0, rows)


A, R, F = End.ANSWERED, End.REFUSED, End.FAILED


@pytest.mark.parametrize(
    ("visits", "values"),
    [
        ([visit((A, -1))], []),
        ([visit((A, -1)), visit((F, -1))], [50]),
        ([visit((R, 2), (A, -1)), visit((R, 3), (R, 4))], [100, 100, 50]),
        ([visit((R, -1)), visit((R, 2), (A, -1))], [100, 50, 100]),
        ([visit((R, 3600))], [100, 100, 0]),  # nobody waits for so long
        ([visit((R, -1))], [100, 0]),
    ],
)
def test_times_that_are_told(visits: list[Visit], values: list[float]) -> None:
    """Who failed, who was told a time, and who was served when it came back."""
    assert [one.value for one in retry.measures(visits)] == values


@pytest.mark.parametrize(
    ("asked", "had", "score"),
    [
        ({"modest": 100, "greedy": 300}, {"modest": 100, "greedy": 100}, 100),
        ({"modest": 100, "greedy": 300}, {"modest": 50, "greedy": 150}, 50),
        ({"modest": 50, "greedy": 300}, {"modest": 50, "greedy": 150}, 100),  # it asked for no more
        ({"modest": 100, "greedy": 300}, {"modest": 0, "greedy": 200}, 0),
        ({"modest": 100, "greedy": 300}, {}, 0),
    ],
)
def test_fairness_is_the_worse_off_tenants(asked: dict[str, int], had: dict[str, int], score: float) -> None:
    """Its part of what max-min fairness gives it of all that was answered."""
    assert fairness.measures(asked, had)[0].score == score


def test_answers_count_when_they_came() -> None:
    """What was due before the time, or answered after it, does not."""
    visits = [visit((A, -1), tenant="modest", done=5), visit((A, -1), tenant="greedy", done=20)]
    assert fairness.counted(visits, 0, 10 * SECOND) == ({"modest": 1, "greedy": 1}, {"modest": 1, "greedy": 0})


@pytest.mark.parametrize(
    ("seconds", "count"),
    [
        ([], 0),
        ([0, 5, 10], 0),
        ([0, 1, 2, 6.5], 3),  # 6.5 is within five seconds of 2, when it was told once more
        ([0, 0.05, 0.09], 0),  # under way when the first was refused
        ([0, 4.95], 0),  # the clocks' difference
        ([0, 0.5, 5.6], 1),
    ],
)
def test_early_attempts(seconds: list[float], count: int) -> None:
    """An attempt is avoidable after a refusal has been given and before its time is over."""
    assert storm.early([int(one * SECOND) for one in seconds], 5 * SECOND) == count


LATE = Cell("cut-late", {}, stream=True, when=AFTER)
EARLY = Cell("500", {}, stream=False)
ANSWER = "".join(f" t{number + 1}" for number in range(TOKENS))


@pytest.mark.parametrize(
    ("cell", "heard", "right"),
    [
        (EARLY, Heard(200, ANSWER, finished=True, ended=True), True),
        (EARLY, Heard(500, error="upstream"), False),
        (EARLY, Heard(broken="refused"), False),
        (LATE, Heard(200, ANSWER, finished=True, ended=True), True),
        (LATE, Heard(200, " t1 t2", error="cut"), True),
        (LATE, Heard(200, " t1 t2", broken="cut"), True),
        (LATE, Heard(200, " t1 t2", ended=True), False),
        (LATE, Heard(200, " t1 t2", finished=True, ended=True), False),
        (LATE, Heard(200, " t1 t2 t1", error="cut"), False),
    ],
)
def test_cells(cell: Cell, heard: Heard, right: bool) -> None:
    """Before the first token nothing less than an answer; after it never a silent end."""
    assert (wrong(cell, heard) == "") is right


def test_the_matrix_has_three_parts() -> None:
    """Each with its share, and a line for each cell that is wrong."""
    heard = [(cell, Heard(500, error="x")) for cell in CELLS]
    found = failover.measures(heard)
    assert [one.score for one in found] == [0, 0, 100, None]
    assert len(failover.details(heard)) == sum(cell.when != AFTER for cell in CELLS)


def test_books() -> None:
    """Only answers that have to say their usage are asked for it; the gateway's own books are asked for all."""
    asks = [Ask("m", "k", 40), Ask("m", "k", 140, stream=True, usage=True), Ask("m", "k", 240, stream=True)]
    heard = list(zip(asks, [Heard(tokens=50), Heard(tokens=150), Heard()], strict=True))
    billed = {40: 50, 140: 150, 240: 250}
    assert [one.score for one in books.measures(heard, billed, None, 450)] == [100]
    assert [one.score for one in books.measures(heard, billed, 405, 450)] == [100, 0]


def test_overhead_is_told_and_not_judged() -> None:
    """Even where it is absurd."""
    assert Verdict("overhead", overhead.measures([1_000], [9_000_000])).score is None
    assert overhead.measures([1_000], [3_000])[0].value == 2


def test_heats_are_neighbours_with_quotas_of_their_own() -> None:
    """Those that load nobody else's quota run together, unless they are to run apart; the order is kept."""
    together = [[one.name for one in heat] for heat in heats(DISCIPLINES, apart=False)]
    assert ["requests", "tokens", "retry-after", "fairness"] in together
    assert [name for heat in together for name in heat] == [one.name for one in DISCIPLINES]
    assert all(len(heat) == 1 for heat in heats(DISCIPLINES, apart=True))
