"""Which nonces have been used."""

from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from tidegate.policy.access.nonces import FORGOTTEN, FRESH, FULL, USED, Nonces

SECOND = 1_000_000
SKEW = 300 * SECOND
START = 1_790_000_000 * SECOND


def test_a_nonce_lets_one_in() -> None:
    """And is not remembered before it is said to be used."""
    nonces = Nonces(SKEW, 10, START)
    assert nonces.judge(b"a", START) == nonces.judge(b"a", START) == FRESH
    nonces.add(b"a", START)
    assert nonces.judge(b"a", START) == USED
    assert nonces.judge(b"b", START) == FRESH


def test_when_there_is_no_room_nobody_is_forgotten() -> None:
    """New nonces are refused until the older generation goes."""
    nonces = Nonces(SKEW, 2, START)
    nonces.add(b"a", START)
    nonces.add(b"b", START)
    assert nonces.judge(b"c", START) == FULL
    assert nonces.judge(b"a", START) == USED
    nonces.turn(nonces.turns_at)
    assert nonces.judge(b"c", START + 2 * SKEW) == FULL
    nonces.turn(nonces.turns_at)
    assert nonces.judge(b"c", START + 4 * SKEW) == FRESH
    assert len(nonces) == 0


def test_after_a_long_silence_both_generations_go() -> None:
    """What they held is below the floor."""
    nonces = Nonces(SKEW, 1, START)
    nonces.add(b"a", START + SKEW)
    nonces.turn(START + 4 * SKEW)
    assert len(nonces) == 0
    assert nonces.judge(b"a", START + SKEW) == FORGOTTEN
    assert nonces.judge(b"b", START + 4 * SKEW) == FRESH


def test_what_was_before_the_floor_is_refused() -> None:
    """It may have been used, by whom nobody remembers."""
    nonces = Nonces(SKEW, 10, START, floor_us=START)
    assert nonces.judge(b"a", START) == FORGOTTEN
    assert nonces.judge(b"a", START + 1) == FRESH


def test_what_is_recalled_is_used() -> None:
    """For as long as if it had just been used."""
    nonces = Nonces(SKEW, 10, START)
    nonces.recall(b"a", START + SKEW)
    assert nonces.judge(b"a", START + SKEW) == USED
    assert not nonces.due(START + 2 * SKEW - 1)
    nonces.turn(START + 2 * SKEW)
    assert nonces.floor_us == START + SKEW


def test_the_floor_is_out_of_sight_of_good_clocks() -> None:
    """What a turn forgets is already too late by the clock, so the floor refuses nobody else."""
    nonces = Nonces(SKEW, 10, START)
    nonces.add(b"a", START + SKEW)  # of a client whose clock is as far ahead as it may be
    nonces.turn(START + 2 * SKEW)
    nonces.turn(START + 4 * SKEW)
    assert nonces.floor_us <= START + 4 * SKEW - SKEW


class AnyClock(RuleBasedStateMachine):
    """Signatures are shown, again and again, under a clock that goes where it likes; settings change."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = START
        self.skew = 10 * SECOND
        self.nonces = Nonces(self.skew, 6, START)
        self.times_in = dict[tuple[bytes, int], int]()

    @rule(seconds=st.integers(-40, 60))
    def clock_moves(self, seconds: int) -> None:
        self.wall += seconds * SECOND

    @rule(seconds=st.integers(1, 20))
    def settings_change(self, seconds: int) -> None:
        self.skew = seconds * SECOND
        self.nonces.change(self.skew, 6)

    @rule(name=st.integers(0, 9), at=st.integers(-30, 60))
    def signature_is_shown(self, name: int, at: int) -> None:
        created, mark = START + at * SECOND, b"%d" % name
        if self.nonces.due(self.wall):
            self.nonces.turn(self.wall)
        if abs(self.wall - created) <= self.skew and self.nonces.judge(mark, created) == FRESH:
            self.nonces.add(mark, created)
            self.times_in[mark, created] = self.times_in.get((mark, created), 0) + 1

    @invariant()
    def nobody_is_let_in_twice(self) -> None:
        assert all(times == 1 for times in self.times_in.values())

    @invariant()
    def memory_is_bounded(self) -> None:
        assert len(self.nonces) <= 6


test_no_clock_lets_a_signature_in_twice = AnyClock.TestCase
"""Forwards, backwards, and with other settings: each signature is taken once."""


@given(st.lists(st.tuples(st.integers(0, 20), st.integers(-10, 10), st.integers(0, 25)), max_size=80))
def test_with_a_good_clock_only_replays_are_refused(shown: list[tuple[int, int, int]]) -> None:
    """A clock that goes forward, and room enough: whoever comes in time with a new nonce is let in."""
    skew, wall = 10 * SECOND, START
    nonces, used = Nonces(skew, 1_000, wall), set[tuple[bytes, int]]()
    for name, off, later in shown:
        wall += later * SECOND
        created, mark = wall + off * SECOND, b"%d %d" % (name, wall + off * SECOND)
        if nonces.due(wall):
            nonces.turn(wall)
        expected = USED if (mark, created) in used else FRESH
        judged = nonces.judge(mark, created)
        at_the_edge = off == -10 and judged == FORGOTTEN
        assert judged == expected or at_the_edge
        if judged == FRESH:
            nonces.add(mark, created)
            used.add((mark, created))
