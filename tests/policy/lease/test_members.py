"""Membership: shares shrink before others grow, and what lost members may use is withheld."""

from random import Random

from tests.cluster.oracle.members import Roll, beat
from tidegate.model.cluster import FREE, LATE, OK, Beat, Stand
from tidegate.policy.lease.times import BEAT_US, LOST_US

SHARE_US = 10_000_000
START = 10**15


class Table:
    """Members that beat by name, and tell what they were told."""

    def __init__(self) -> None:
        self.roll: Roll | None = None
        self.now = START
        self.stands: dict[str, Stand] = {}
        self.incarnations: dict[str, int] = {}

    def beat(self, name: str, *, back: bool = False, leaving: bool = False, heard: bool = True) -> Stand:
        known = self.stands.get(name)
        told = (known.share_ppm, known.open_ppm, known.members) if known is not None else (0, 0, 0)
        said = Beat(name, self.incarnations.get(name, 1), 0, SHARE_US, back, leaving, *told)
        self.roll, stand = beat(self.roll, said, self.now)
        if heard:
            self.stands[name] = stand
        return stand

    def all(self, *names: str, rounds: int = 3, back: bool = False) -> None:
        for _ in range(rounds):
            for name in names:
                self.beat(name, back=back)
            self.now += BEAT_US


def test_shares_are_equal_once_everybody_has_heard() -> None:
    """Each of three has a third; the first one's shrank before the others had any."""
    table = Table()
    assert table.beat("a").share_ppm == FREE
    assert table.beat("b").share_ppm == 0
    table.all("a", "b", "c", rounds=4)
    assert [table.stands[name].share_ppm for name in "abc"] == [FREE // 3] * 3


def test_a_share_counts_until_its_holder_says_it_is_smaller() -> None:
    """An answer that told a smaller share and got lost gives nothing to others."""
    table = Table()
    table.beat("a")
    table.now += BEAT_US
    table.beat("b")
    table.beat("a", heard=False)
    assert table.beat("b").share_ppm == 0
    table.beat("a")
    table.beat("a")
    assert table.beat("b").share_ppm == FREE // 2


def test_a_lost_members_share_is_withheld_until_it_is_back() -> None:
    """It is heard again, but until it says that all is told its share is not open."""
    table = Table()
    table.all("a", "b", rounds=4)
    for _ in range(6):
        table.beat("a")
        table.now += BEAT_US
    assert table.beat("a").open_ppm == FREE // 2
    stand = table.beat("b")
    assert (stand.lost, stand.open_ppm) == (True, FREE // 2)
    stand = table.beat("b", back=True)
    assert (stand.lost, stand.open_ppm) == (False, FREE)


def test_who_is_silent_for_too_long_or_starts_anew_withholds_nothing() -> None:
    """After `share_us` it has stopped by itself; another incarnation never had a share."""
    table = Table()
    table.all("a", "b", rounds=4)
    while table.now < START + SHARE_US + FREE:
        table.beat("a")
        table.now += LOST_US
    assert table.beat("a").open_ppm == FREE
    table.all("a", "c", rounds=4)
    for _ in range(6):
        table.beat("a")
        table.now += BEAT_US
    assert table.beat("a").open_ppm == FREE // 2
    table.incarnations["c"] = 2
    table.stands.pop("c")
    table.beat("c")
    assert table.beat("a").open_ppm == FREE


def test_when_nobody_was_heard_everybody_is_lost() -> None:
    """The state is another one, and all have to come back."""
    table = Table()
    table.all("a", "b", rounds=4)
    state = table.stands["a"].state
    table.now += LOST_US + 1
    stand = table.beat("a")
    assert stand.state > state
    assert (stand.lost, stand.open_ppm) == (True, 0)
    assert table.beat("a", back=True).open_ppm == FREE // 2


def test_an_emptied_membership_learns_who_may_still_be_out() -> None:
    """What nobody has claimed is withheld until as many have come as there were."""
    table = Table()
    table.all("a", "b", rounds=4)
    table.roll = None
    assert table.beat("a", back=True).open_ppm == FREE // 2
    table.beat("b")
    assert table.beat("b", back=True).open_ppm == FREE


def test_what_comes_too_late_is_not_heard() -> None:
    """It says so, and the member counts as silent."""
    roll, _ = beat(None, Beat("a", 1, 0, SHARE_US), START)
    roll, stand = beat(roll, Beat("a", 1, START + 5, SHARE_US), START + 6)
    assert stand.status == LATE
    assert roll.members[0].heard == START


def test_shares_never_exceed_the_whole() -> None:
    """Whatever answers get lost, whoever leaves or dies: what members may take to be theirs sums to one at most."""
    chance = Random(1)
    table = Table()
    for _ in range(3_000):
        name = f"n/{chance.randrange(5)}"
        if chance.random() < 0.01:
            table.incarnations[name] = table.incarnations.get(name, 1) + 1
            table.stands.pop(name, None)
        leaving = chance.random() < 0.01
        stand = table.beat(name, back=chance.random() < 0.3, leaving=leaving, heard=chance.random() < 0.7)
        if leaving:
            table.stands.pop(name, None)
        assert stand.status == OK
        assert sum(one.share_ppm for one in table.stands.values()) <= FREE
        assert 0 <= stand.open_ppm <= FREE
        table.now += chance.randrange(30_000)


def test_who_is_said_to_have_died_holds_nothing_back() -> None:
    """Another member says it, and does not know which incarnation it was: its share is the others' at once."""
    table = Table()
    table.all("a", "b", rounds=4)
    table.all("a", rounds=LOST_US // BEAT_US + 1)
    assert table.beat("a").open_ppm == FREE // 2
    table.roll, stand = beat(table.roll, Beat("b", 0, table.now + 1, 0, leaving=True), table.now)
    assert (stand.open_ppm, stand.members) == (FREE, 1)
    table.beat("a")
    assert table.beat("a").share_ppm == FREE
    table.incarnations["b"] = 2
    del table.stands["b"]
    table.all("a", "b", rounds=4)
    assert [table.stands[name].share_ppm for name in "ab"] == [FREE // 2] * 2
