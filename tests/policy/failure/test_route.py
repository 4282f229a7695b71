"""The choice of a target, as a table."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.failure.route import Candidate, Choice, choose
from tidegate.policy.quota.allowance import NEVER

DEADLINE, PATIENCE = 120, 45


def at(wait: int) -> Candidate:
    return Candidate(wait)


def tripped(wait: int) -> Candidate:
    return Candidate(wait, tripped=True)


def full(wait: int) -> Candidate:
    return Candidate(wait, full=True)


TABLE = [
    ("the first that is free", [at(0), at(0)], Choice(0, 0)),
    ("the first within patience, not the soonest", [at(45), at(0)], Choice(0, 45)),
    ("beyond patience the next one, without any 429", [at(46), at(3)], Choice(1, 3)),
    ("none within patience: the soonest", [at(90), at(60), at(70)], Choice(1, 60)),
    ("equally soon: the first", [at(60), at(60)], Choice(0, 60)),
    ("one target alone is waited for up to the deadline", [at(120)], Choice(0, 120)),
    ("nobody makes it: refused with the soonest's time", [at(200), at(121)], Choice(-1, 121, earliest=1)),
    ("too large for one: the other", [at(NEVER), at(100)], Choice(1, 100)),
    ("too large for all: never", [at(NEVER), at(NEVER)], Choice(-1, NEVER)),
    ("a tripped one is skipped for one that can be waited for", [tripped(10), at(40)], Choice(1, 40)),
    ("a tripped one whose probe is due gets it", [tripped(0), at(0)], Choice(0, 0)),
    ("a tripped one is still better than one beyond patience", [tripped(10), at(60)], Choice(0, 10)),
    ("the last may be tripped", [at(60), tripped(10)], Choice(1, 10)),
    ("no room to wait in: the next", [full(10), at(40)], Choice(1, 40)),
    ("a full queue does not matter to one that need not wait", [full(0)], Choice(0, 0)),
    ("no room, the other beyond patience but in time", [full(50), at(60)], Choice(1, 60)),
    ("no room anywhere", [full(10), full(20)], Choice(-1, 10, full=True, earliest=0)),
    ("no room in time, the other too late", [full(10), at(121)], Choice(-1, 10, full=True, earliest=0)),
]


@pytest.mark.parametrize(("candidates", "expected"), [row[1:] for row in TABLE], ids=[row[0] for row in TABLE])
def test_the_table(candidates: list[Candidate], expected: Choice) -> None:
    """Each row is a sentence of the design."""
    assert choose(candidates, DEADLINE, PATIENCE) == expected


def test_patience_beyond_the_deadline_helps_nobody() -> None:
    """The deadline bounds the patience."""
    assert choose([at(30), at(10)], 20, PATIENCE) == Choice(1, 10)
    assert choose([at(30)], 20, PATIENCE) == Choice(-1, 30, earliest=0)


candidates = st.builds(Candidate, st.one_of(st.just(NEVER), st.integers(0, 300)), st.booleans(), st.booleans())


@given(st.lists(candidates, min_size=1, max_size=5), st.integers(0, 200), st.integers(0, 100))
def test_whoever_is_chosen_can_serve_and_whoever_is_refused_could_not_be(
    choices: list[Candidate], remaining: int, patience: int
) -> None:
    """A chosen target makes the deadline and has room; a refusal means that no target does both."""
    chosen = choose(choices, remaining, patience)
    able = [c for c in choices if c.wait_us == 0 or (c.wait_us != NEVER and c.wait_us <= remaining and not c.full)]
    if chosen.index >= 0:
        assert choices[chosen.index] in able
        assert chosen.wait_us == choices[chosen.index].wait_us
    else:
        assert able == []
        waits = [c.wait_us for c in choices if c.wait_us != NEVER]
        assert chosen.wait_us == min(waits, default=NEVER)
