"""Whatever is cut, late, lost, repeated, restarted or slow: what all regions may spend is never more than the whole."""

from dataclasses import dataclass, field

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from tidegate.model.regions import WHOLE, News, Parts
from tidegate.policy.regions import escrow
from tidegate.policy.regions.party import Allotment, Drop, Party, Place, Rule, Seen, Swap

QUOTA = "service/scope/model"
LEASE = 10_000_000
FLOOR = 50_000
NAMES = ("a", "b", "c")
RULE = Rule(NAMES, FLOOR, LEASE)


class Memory:
    """A linearizable store."""

    def __init__(self) -> None:
        self.revision = 0
        self.parts: dict[str, tuple[int, Parts]] = {}
        self.news: dict[Place, tuple[int, News]] = {}

    def exchange(self, place: Place, news: News) -> Seen:
        self.revision += 1
        self.news[place] = self.revision, news
        return Seen(self.revision, dict(self.parts), dict(self.news))

    def write(self, write: Swap | Drop) -> bool:
        if isinstance(write, Drop):
            if self.news.get(write.place, (0, None))[0] != write.revision:
                return False
            del self.news[write.place]
            return True
        if self.parts.get(write.quota, (0, None))[0] != write.revision:
            return False
        self.revision += 1
        self.parts[write.quota] = self.revision, write.parts
        return True


@dataclass
class Node:
    """A node with a clock of its own, and the one worker that spends by what it was told."""

    place: Place
    offset: int
    rate: int  # millionths: how fast its clock runs
    party: Party
    told: Allotment | None = None
    asks: list[tuple[int, News]] = field(default_factory=list)  # sent, not yet at the store
    answers: list[tuple[int, Seen]] = field(default_factory=list)
    writes: list[Swap | Drop] = field(default_factory=list)
    spent: list[tuple[int, int]] = field(default_factory=list)  # (part, until when it still counts), of drained windows

    def clock(self, true: int) -> int:
        return self.offset + true * self.rate // 1_000_000

    def spends(self, true: int) -> int:
        if self.told is None:
            return 0
        return self.told.ppm if self.clock(true) < self.told.until else self.told.floor


class World:
    """Regions around a store, in true time."""

    def __init__(self, places: list[Place], drain: int = 0) -> None:
        self.true = 1_000_000
        self.drain = drain
        self.store = Memory()
        self.nodes = []
        for number, place in enumerate(places):
            rate = 1_000_000 + (number % 3 - 1) * 9_000
            node = Node(place, number * 7_777_777, rate, Party(place, RULE, 0))
            node.party = Party(place, RULE, node.clock(self.true))
            node.party.want(QUOTA, 0, drain)
            self.nodes.append(node)

    def send(self, node: Node) -> None:
        now = node.clock(self.true)
        node.asks.append((now, node.party.news(now)))

    def arrive(self, node: Node, *, repeated: bool = False) -> None:
        sent_at, news = node.asks[0] if repeated else node.asks.pop(0)
        node.answers.append((sent_at, self.store.exchange(node.place, news)))

    def answer(self, node: Node) -> None:
        sent_at, seen = node.answers.pop(0)
        node.answers.clear()  # of two, the later one was asked for because the first was given up
        node.writes += node.party.heard(seen, sent_at, node.clock(self.true), self.true)

    def write(self, node: Node) -> bool:
        return self.store.write(node.writes.pop(0))

    def tell(self, node: Node) -> None:
        """The worker goes by what the node may spend now, and says so."""
        held = node.party.held.get(QUOTA)
        if held is not None:
            node.told = held
            node.party.kept(QUOTA, held.epoch, held.seq, node.clock(self.true))

    def round(self, node: Node) -> None:
        self.send(node)
        self.arrive(node)
        self.answer(node)
        while node.writes:
            self.write(node)
        self.tell(node)

    def play(self, seconds: float, *, without: tuple[str, ...] = ()) -> None:
        for _ in range(int(seconds * 2)):
            self.true += 500_000
            for node in self.nodes:
                if node.place.region not in without:
                    self.round(node)
            self.check()

    def parts(self) -> dict[str, int]:
        return {name: max(node.spends(self.true) for node in self.nodes if node.place.region == name) for name in NAMES}

    def counted(self) -> int:
        """What the provider may be charged: a window remembers what was spent by a larger part."""
        total = 0
        for name in NAMES:
            largest = 0
            for node in (node for node in self.nodes if node.place.region == name):
                spends = node.spends(self.true)
                node.spent = [one for one in node.spent if one[1] > self.true]
                node.spent.append((spends, self.true + self.drain))
                largest = max(largest, *(part for part, _ in node.spent))
            total += largest
        return total

    def check(self) -> None:
        assert self.counted() <= WHOLE
        for _, parts in self.store.parts.values():
            assert escrow.sound(parts)


def three() -> World:
    return World([Place(name, "n") for name in NAMES])


def test_an_idle_cluster_shares_alike() -> None:
    """After one lease everybody has a third, and nothing moves any more."""
    world = three()
    world.play(15)
    assert all(330_000 <= part <= 333_334 for part in world.parts().values())
    revision = {quota: at for quota, (at, _) in world.store.parts.items()}
    world.play(10)
    assert {quota: at for quota, (at, _) in world.store.parts.items()} == revision


def test_before_a_lease_has_passed_everybody_has_its_floor() -> None:
    """Nobody knows what stood in the store before: whoever had more has it until its lease ends."""
    world = three()
    world.play(9)
    assert set(world.parts().values()) == {FLOOR}


def test_parts_follow_the_demand() -> None:
    """Who asks for nine times as much has nine times as much two beats later, down to the floor."""
    world = three()
    world.play(15)
    world.nodes[0].party.want(QUOTA, 2_000_000, 0)
    world.play(25)
    assert world.parts() == {"a": 900_000, "b": FLOOR, "c": FLOOR}


def test_a_region_that_is_cut_off_keeps_its_part_for_its_lease() -> None:
    """Others count on it afterwards only; its own lease ends first, and it goes on by its floor."""
    world = three()
    world.play(15)
    for node in world.nodes[1:]:
        node.party.want(QUOTA, 2_000_000, 0)
    world.play(8, without=("a",))
    before = world.parts()
    assert before["a"] >= 330_000
    assert sum(before.values()) <= WHOLE
    world.play(4, without=("a",))
    assert world.parts()["a"] == FLOOR
    world.play(25, without=("a",))
    assert world.parts()["b"] + world.parts()["c"] >= 940_000
    world.nodes[0].party.want(QUOTA, 2_000_000, 0)
    world.play(30)
    assert world.parts()["a"] >= 300_000


def test_a_store_that_forgets_is_begun_anew() -> None:
    """Nobody takes more before everybody's leases of before have ended."""
    world = three()
    world.play(30)
    world.store.parts.clear()
    world.play(5)
    assert set(world.parts().values()) == {FLOOR}
    world.play(15)
    assert min(world.parts().values()) >= 330_000


def test_a_store_that_went_back_is_not_believed() -> None:
    """Its revision is below one that was read: everybody begins anew."""
    world = three()
    world.play(15)
    old = dict(world.store.parts), world.store.revision
    world.nodes[0].party.want(QUOTA, 2_000_000, 0)
    world.play(25)
    world.store.parts, world.store.revision = dict(old[0]), old[1]
    world.play(5)
    assert set(world.parts().values()) == {FLOOR}
    world.play(30)
    assert world.parts()["a"] >= 890_000


def test_a_region_of_two_nodes_shrinks_when_both_have_said_so() -> None:
    """One that is silent is waited for as long as its lease, however often the other agrees."""
    world = World([Place("a", "1"), Place("a", "2"), Place("b", "1"), Place("c", "1")])
    world.play(25)
    silent = world.nodes.pop(1)
    world.nodes[1].party.want(QUOTA, 2_000_000, 0)
    for _ in range(16):
        world.true += 500_000
        for node in world.nodes:
            world.round(node)
        assert sum(world.parts().values()) - world.parts()["a"] + silent.spends(world.true) <= WHOLE
    assert world.store.parts[QUOTA][1].entries["a"].part >= 330_000
    world.play(20)
    assert world.parts()["b"] >= 890_000


def test_a_region_that_leaves_the_list_gives_everything() -> None:
    """Its floor is free again when it has gone, and its line with it."""
    world = three()
    world.play(15)
    world.nodes.pop()
    for node in world.nodes:
        node.party._rule = Rule(("a", "b"), FLOOR, LEASE)
    world.play(40)
    assert set(world.store.parts[QUOTA][1].entries) == {"a", "b"}


def test_a_region_that_joins_is_given_room() -> None:
    """Existing regions learn of it first; then it takes its floor, and later its part."""
    world = World([Place("a", "n"), Place("b", "n")])
    for node in world.nodes:
        node.party._rule = Rule(("a", "b"), FLOOR, LEASE)
    world.true += 500_000
    for node in world.nodes * 40:
        world.true += 250_000
        world.round(node)
    for node in world.nodes:
        node.party._rule = RULE
    for node in world.nodes * 10:
        world.true += 250_000
        world.round(node)
    new = Node(Place("c", "n"), 5, 1_000_000, Party(Place("c", "n"), RULE, world.true + 5))
    new.party.want(QUOTA, 500_000, 0)
    world.nodes.append(new)
    world.play(40)
    assert world.parts()["c"] >= 800_000


class Regions(RuleBasedStateMachine):
    """Two nodes of one region and one of each other, any of them cut off, paused or begun anew at any time."""

    drain = 0

    def __init__(self) -> None:
        super().__init__()
        places = [Place("a", "1"), Place("a", "2"), Place("b", "1"), Place("c", "1")]
        self.world = World(places, self.drain)

    which = st.integers(0, 3)

    @rule(which=which, ppm=st.sampled_from([0, 10_000, 300_000, 1_000_000, 5_000_000]))
    def want(self, which: int, ppm: int) -> None:
        self.world.nodes[which].party.want(QUOTA, ppm, self.drain)

    @rule(microseconds=st.sampled_from([1, 300_000, 2_000_000, 9_700_000, 11_000_000, 40_000_000]))
    def passes(self, microseconds: int) -> None:
        self.world.true += microseconds

    @rule(cut=st.sets(which, max_size=3), rounds=st.integers(1, 30))
    def goes_well(self, cut: set[int], rounds: int) -> None:
        for _ in range(rounds):
            self.world.true += 500_000
            for number, node in enumerate(self.world.nodes):
                if number not in cut:
                    node.asks.clear()
                    node.answers.clear()
                    self.world.round(node)
            self.world.check()

    @rule(which=which)
    def sends(self, which: int) -> None:
        self.world.send(self.world.nodes[which])

    @rule(which=which, repeated=st.booleans())
    def arrives(self, which: int, repeated: bool) -> None:
        node = self.world.nodes[which]
        if node.asks:
            self.world.arrive(node, repeated=repeated)

    @rule(which=which)
    def answers(self, which: int) -> None:
        if self.world.nodes[which].answers:
            self.world.answer(self.world.nodes[which])

    @rule(which=which, lost=st.booleans())
    def writes(self, which: int, lost: bool) -> None:
        node = self.world.nodes[which]
        if node.writes:
            if lost:
                node.writes.pop(0)
            else:
                self.world.write(node)

    @rule(which=which)
    def tells(self, which: int) -> None:
        self.world.tell(self.world.nodes[which])

    @rule(which=which)
    def restarts(self, which: int) -> None:
        """Its worker does not."""
        node = self.world.nodes[which]
        node.party = Party(node.place, RULE, node.clock(self.world.true))
        node.party.want(QUOTA, 0, self.drain)
        node.answers.clear()

    @precondition(lambda self: self.world.store.parts)
    @rule()
    def forgets(self) -> None:
        """The store loses its records: as long as no write of before comes in, that is safe too."""
        self.world.store.parts.clear()

    @invariant()
    def sound(self) -> None:
        self.world.check()


class Windows(Regions):
    """The same, where what was spent counts for a minute."""

    drain = 60_000_000


_settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
TestRegions = Regions.TestCase
TestRegions.settings = _settings
TestWindows = Windows.TestCase
TestWindows.settings = _settings
