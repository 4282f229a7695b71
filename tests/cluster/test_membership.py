"""How a worker stands to the shared state, told by what it hears and for how long it hears nothing."""

import asyncio

import pytest

from tests.cluster.scripted import Scripted
from tests.cluster.scripts import ECHO
from tests.servers import Server
from tidegate.clock import SystemClock
from tidegate.cluster.client import StoreClient
from tidegate.cluster.figures import Figures
from tidegate.cluster.lease_exchanger import LeaseExchanger
from tidegate.cluster.membership import BURY_US, LINGERS_US, MARGIN_US, Membership
from tidegate.cluster.scripts import exchange, members
from tidegate.cluster.url import parse
from tidegate.model.cluster import BUCKET, LATE, OK, Beat, ClusterSettings, ExchangeReply, Stand
from tidegate.policy.lease.faces import CLOSED, JOINING, LOCAL, OPEN, SHARED, Footing
from tidegate.policy.lease.lease_client import LeaseClient
from tidegate.policy.lease.purse import QuotaLease
from tidegate.policy.lease.times import BEAT_US, IN_TIME_US, LOCAL_US, LOST_US, STALE_US
from tidegate.testing.clock import ManualClock, settle

AHEAD_US = 1_000_000_000_000  # the server's clock shows so much more than ours
MINUTE_US = 60_000_000


class Funds:
    def __init__(self) -> None:
        self.posted = True
        self.turns = 0
        self.beats = 0

    def turned(self) -> None:
        self.turns += 1

    def heard(self) -> None:
        self.beats += 1


class Lines:
    def __init__(self) -> None:
        self.lines: list[tuple[str, str, dict[str, object]]] = []

    def info(self, event: str, **fields: object) -> None:
        self.lines.append(("info", event, fields))

    def warning(self, event: str, **fields: object) -> None:
        self.lines.append(("warning", event, fields))

    def error(self, event: str, **fields: object) -> None:
        self.lines.append(("error", event, fields))


class Member:
    """One, with a clock that is turned by hand and a server that is played by the test."""

    def __init__(self, on_state_loss: str = "local") -> None:
        self.clock = ManualClock()
        self.client = Scripted()
        self.footing = Footing("n/0", 7)
        self.funds = Funds()
        self.log = Lines()
        self.figures = Figures()
        self.settings = ClusterSettings(prefix="t", on_state_loss=on_state_loss, share_us=10 * MINUTE_US)
        self.one = Membership(
            self.client, ECHO, self.footing, self.funds, self.settings, self.clock, self.log, self.figures
        )
        self.changes = 0
        self.one.changed = self.change

    def change(self) -> None:
        self.changes += 1

    def server(self) -> int:
        return AHEAD_US + self.clock.now()

    def stand(self, *, status: int = OK, share_ppm: int = 250_000, lost: bool = False, members: int = 4) -> Stand:
        return Stand(status, self.server(), 3, share_ppm, 1_000_000, members, lost)

    async def join(self) -> None:
        joins = asyncio.ensure_future(self.one.join(MINUTE_US))
        await settle()
        assert self.client.beat() is None, "the time is asked for first"
        self.client.show(self.server())
        self.client.answer(self.stand())
        assert await joins
        assert self.beat().not_after == self.server() + IN_TIME_US

    def beat(self) -> Beat:
        said = self.client.beat()
        assert said is not None
        return said

    async def silence(self) -> None:
        """Nobody answers any more, until it goes on alone."""
        while self.footing.mode == SHARED:
            await self.clock.advance(self.clock.pending[0])
            while self.client.waiting:
                await self.clock.advance(self.settings.timeout_us)
                self.client.fail()


async def test_it_joins_by_the_first_answer() -> None:
    """By then it knows the server's clock, and what is its part."""
    member = Member()
    assert member.footing.mode == JOINING
    await member.join()
    footing = member.footing
    assert (footing.mode, footing.state, footing.share_ppm, footing.open_ppm) == (SHARED, 3, 250_000, 1_000_000)
    assert footing.server(member.clock.now() + 5) == member.server() + 5
    assert (member.funds.turns, member.changes, member.one.members) == (1, 1, 4)
    assert [line[1] for line in member.log.lines] == ["the cluster is joined"]


async def test_a_beat_follows_the_last_one() -> None:
    """`BEAT_US` after it was sent, or as soon as it is answered; it says what the last answer told."""
    member = Member()
    await member.join()
    await member.clock.advance(BEAT_US)
    sent = member.clock.now()
    beat = member.beat()
    assert (beat.member, beat.incarnation, beat.share_us) == ("n/0", 7, 10 * MINUTE_US + LINGERS_US)
    assert (beat.share_ppm, beat.open_ppm, beat.members) == (250_000, 1_000_000, 4)
    assert (beat.back, beat.leaving) == (False, False)
    await member.clock.advance(30_000)
    assert member.client.said == []
    member.client.answer(member.stand(share_ppm=200_000, members=5))
    footing = member.footing
    assert footing.heard_at == sent
    assert footing.taken_us == member.server()
    assert footing.server(member.clock.now()) == member.server()
    assert (footing.share_ppm, member.one.members, member.changes, member.funds.beats) == (200_000, 5, 2, 1)
    await member.clock.advance(BEAT_US - 30_000)
    assert member.beat()
    await member.clock.advance(BEAT_US + 5_000)
    member.client.answer(member.stand())
    await member.clock.advance(0)
    assert member.beat()
    assert member.footing.mode == SHARED


@pytest.mark.parametrize(
    ("policy", "mode", "level", "words"),
    [
        ("local", LOCAL, "warning", "within this worker's own part of each limit"),
        ("closed", CLOSED, "error", "calls that need a shared limit are refused"),
        ("open", OPEN, "error", "calls go on without shared limits"),
    ],
)
async def test_silence_is_what_the_policy_says(policy: str, mode: int, level: str, words: str) -> None:
    """`LOCAL_US` after the last beat was sent, answered or not; one line says so, and what happens now."""
    member = Member(policy)
    await member.join()
    began = member.clock.now()
    await member.clock.advance(BEAT_US)
    assert member.beat().share_us == (10 * MINUTE_US + LINGERS_US if policy == "local" else 0)
    await member.clock.advance(75_000)
    member.client.fail()
    member.client.said.clear()
    await member.clock.advance(0)
    while member.footing.mode == SHARED:
        await member.clock.advance(min(member.clock.pending))
        if member.client.waiting:
            assert member.client.beat() is None, "whether it is heard may not depend on what is not answered"
            member.client.fail()
    assert member.footing.mode == mode
    assert member.clock.now() - began == BEAT_US + LOCAL_US
    assert member.funds.turns == 2
    assert [line[0] for line in member.log.lines] == ["info", level]
    assert words in member.log.lines[1][1]
    assert member.log.lines[1][2]["problem"] == "the shared state does not answer within 75 ms"


async def test_its_share_runs_out() -> None:
    """Before the others count on it again, by the margin of two clocks."""
    member = Member()
    await member.join()
    heard = member.footing.heard_at
    await member.silence()
    assert member.footing.mode == LOCAL
    await member.clock.advance(heard + 10 * MINUTE_US - MARGIN_US - 1 - member.clock.now())
    assert member.footing.mode == LOCAL
    await member.clock.advance(1)
    assert member.footing.mode == CLOSED
    assert [line[0] for line in member.log.lines] == ["info", "warning", "error"]


async def test_who_comes_back_posts_before_it_says_so() -> None:
    """One question finds the server; then beats, and `back` with the first after everything is posted."""
    member = Member()
    await member.join()
    await member.silence()
    member.client.said.clear()
    member.funds.posted = False
    await member.clock.advance(250_000)
    assert member.client.beat() is None
    member.client.show(member.server())
    assert not member.beat().back
    member.client.answer(member.stand(lost=True))
    assert member.footing.mode == SHARED, "funds may speak, and post"
    assert member.funds.turns == 3
    assert "is heard of again" in member.log.lines[-1][1]
    await member.clock.advance(BEAT_US)
    assert not member.beat().back
    member.client.answer(member.stand(lost=True))
    member.funds.posted = True
    await member.clock.advance(BEAT_US)
    assert member.beat().back
    member.client.answer(member.stand())
    await member.clock.advance(BEAT_US)
    assert not member.beat().back
    assert len(member.log.lines) == 3


async def test_in_silence_nothing_but_questions_is_said_and_rarely() -> None:
    """Four a second at most, each when the one before has failed."""
    member = Member()
    await member.join()
    await member.silence()
    member.client.said.clear()
    for _ in range(40):
        await member.clock.advance(member.clock.pending[0])
        if member.client.waiting:
            member.client.fail()
    before, since = len(member.client.said), member.clock.now()
    while member.clock.now() < since + 1_000_000:
        await member.clock.advance(member.clock.pending[0])
        if member.client.waiting:
            member.client.fail()
    assert len(member.client.said) - before <= 4
    assert all(argument == b"" for _, argument in member.client.said)


async def test_a_beat_that_came_too_late_is_none() -> None:
    """It does not put off the end of the silence; its answer tells the server's time."""
    member = Member()
    await member.join()
    began = member.clock.now()
    while member.footing.mode == SHARED:
        await member.clock.advance(min(member.clock.pending))
        while member.client.waiting:
            member.client.answer(member.stand(status=LATE))
            await member.clock.advance(0)
    assert member.clock.now() - began <= LOCAL_US + BEAT_US
    assert "take too long" in str(member.log.lines[-1][2]["problem"])


async def test_a_server_whose_clock_was_set_is_followed() -> None:
    """One late beat, and the next one is by its clock."""
    member = Member()
    await member.join()
    await member.clock.advance(BEAT_US)
    member.client.said.clear()
    hour = 3_600_000_000
    member.client.answer(Stand(LATE, member.server() + hour, 3, 0, 0, 0, lost=False))
    await member.clock.advance(5_000)
    assert member.beat().not_after == member.server() + hour - 0 + IN_TIME_US
    member.client.answer(Stand(OK, member.server() + hour, 3, 250_000, 1_000_000, 4, lost=False))
    assert member.footing.mode == SHARED


async def test_the_quickest_replies_tell_the_servers_time() -> None:
    """A slow one does not make beats come too late by our own reckoning; a clock that was set back is followed."""
    member = Member()
    await member.join()
    await member.clock.advance(BEAT_US)
    member.client.said.clear()
    slow = member.stand()
    await member.clock.advance(40_000)
    member.client.answer(slow)
    await member.clock.advance(BEAT_US - 40_000)
    late_by = member.server() + IN_TIME_US - member.beat().not_after
    assert 0 <= late_by <= 100
    member.client.answer(Stand(OK, member.server() - 9_000_000, 3, 250_000, 1_000_000, 4, lost=False))
    await member.clock.advance(BEAT_US)
    assert member.beat().not_after == member.server() - 9_000_000 + IN_TIME_US


async def test_a_process_that_stood_still_reads_what_has_arrived_first() -> None:
    """Its answer is old: it does not make it shared for longer, but another beat does, and nothing is logged."""
    member = Member()
    await member.join()
    await member.clock.advance(BEAT_US)
    member.client.said.clear()
    answer = member.stand()
    member.clock.stall(1_000_000)
    await member.clock.advance(0)
    assert member.footing.mode == SHARED, "nothing is asked meanwhile, so nothing is at stake"
    heard = member.footing.heard_at
    assert member.clock.now() - heard > STALE_US
    assert member.clock.now() - heard > LOST_US
    member.client.answer(answer)
    assert member.footing.heard_at == heard
    assert member.beat()
    member.client.answer(member.stand(lost=True))
    assert member.footing.heard_at == member.clock.now()
    assert len(member.log.lines) == 1


async def test_it_comes_up_by_what_is_remembered() -> None:
    """Nobody is heard at the start: its own part, as long as it was good for, and no longer."""
    member, old = Member(), Member()
    joins = asyncio.ensure_future(member.one.join(1_000_000))
    await member.clock.advance(75_000)
    member.client.fail()
    await member.clock.advance(1_000_000)
    assert not await joins
    member.one.recall(125_000, 900_000, 8, MINUTE_US)
    assert (member.footing.mode, member.footing.share_ppm, member.one.members) == (LOCAL, 125_000, 8)
    await member.clock.advance(9 * MINUTE_US)
    assert member.footing.mode == CLOSED
    old.one.recall(125_000, 900_000, 8, 10 * MINUTE_US)
    assert old.footing.mode == CLOSED


async def test_who_died_beside_it_is_said_to_have_left() -> None:
    """At once and once; not when that was a while ago, since its successor may have the name; not in silence."""
    member = Member()
    await member.join()
    now = member.clock.now()
    member.one.bury("n/1", now - 1_000)
    beat = member.beat()
    assert (beat.member, beat.incarnation, beat.leaving, beat.share_us) == ("n/1", 0, True, 0)
    assert beat.not_after == member.server() - 1_000 + BURY_US
    member.client.answer(member.stand())
    member.one.bury("n/1", now - BURY_US - 1)
    assert not member.client.waiting
    await member.clock.advance(BEAT_US)
    await member.silence()
    waiting = member.client.waiting
    member.one.bury("n/1", member.clock.now())
    assert member.client.waiting == waiting


async def test_leaving_is_the_last_that_is_said() -> None:
    """Also behind a beat that is on its way; in silence nobody is told, and nobody waits."""
    member = Member()
    await member.join()
    await member.clock.advance(BEAT_US)
    assert not member.beat().leaving
    leaves = asyncio.ensure_future(member.one.leave())
    await settle()
    assert member.client.said == []
    member.client.answer(member.stand())
    assert member.beat().leaving
    member.client.answer(member.stand())
    await leaves
    await member.clock.advance(MINUTE_US)
    assert member.client.said == []
    silent = Member()
    await silent.join()
    await silent.silence()
    silent.client.said.clear()
    await silent.one.leave()
    assert silent.client.said == []


async def test_leaving_waits_for_nobody_for_long() -> None:
    """Twice the time-out."""
    member = Member()
    await member.join()
    await member.clock.advance(BEAT_US)
    leaves = asyncio.ensure_future(member.one.leave())
    await member.clock.advance(2 * member.settings.timeout_us)
    await leaves


class Waiting:
    """Who waits for a wallet, and wants it to be told."""

    def __init__(self) -> None:
        self.event = asyncio.Event()

    def demands(self, wallet: LeaseClient, now: int) -> list[object]:
        return []

    def told(self, wallet: LeaseClient, told: ExchangeReply | None, now: int) -> None:
        self.event.set()


async def test_all_of_it_against_real_servers(server: Server) -> None:
    """Join, be granted what is asked for, hear nothing, go on alone, come back, leave."""
    clock = SystemClock()
    settings = ClusterSettings(prefix="t", timeout_us=40_000)
    client, footing, figures, log = StoreClient(parse(server.url), clock, 40_000), Footing("n/0", 1), Figures(), Lines()
    keeper = LeaseExchanger(client, exchange(), footing, clock, "t", figures)
    one = Membership(client, members(), footing, keeper, settings, clock, log, figures)
    changed = asyncio.Event()
    one.changed = changed.set
    assert await one.join(5_000_000)
    purse = QuotaLease(BUCKET, 60_000_000, window_us=60_000_000)
    wallet, source = LeaseClient("t:{s}:f", [purse]), Waiting()
    wallet.sources.append(source)  # type: ignore[arg-type]
    keeper.open(wallet)
    while not purse.has(5, clock.now()):
        source.event.clear()
        wallet.want_units([5])
        await source.event.wait()
    changed.clear()
    server.freeze()
    while footing.mode == SHARED:
        await changed.wait()
        changed.clear()
    assert footing.mode == LOCAL
    server.thaw()
    while footing.mode == LOCAL:
        await changed.wait()
        changed.clear()
    while not wallet.posted or not purse.has(5, clock.now()):
        source.event.clear()
        wallet.want_units([5])
        await source.event.wait()
    await keeper.leave()
    await one.leave()
    client.close()
    await settle()
    assert [line[0] for line in log.lines] == ["info", "warning", "info"]
