"""Who is next: tenants in turn, within one by rank, then by age.

A turn goes round the tenants that have due work by their numbers, and begins after the one that was served last. The
index of what is ready is walked from tenant to tenant ("loose index scan"), so that a look costs O(most · log n) and
nothing of what waits behind. Who has his share of places (`policy/jobs/shares.py`) is passed over.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from sqlalchemy import Connection

from tidegate.jobs.rows.statement import Statement
from tidegate.policy.jobs import shares
from tidegate.store.engine import is_sqlite

_PIECE = 1_000
_LOCK = 0x7475_726E  # "turn"


class Picked(NamedTuple):
    """A job whose turn it is."""

    rank: int
    number: int


Take = Callable[[int, int, Picked], list[Picked]]
"""So many of a tenant, after that one; fewer: there are no more."""

_FIRST = Picked(-(2**15), 0)

_LAST = Statement("SELECT tenant FROM job_turns WHERE backend = :backend")
_MINE = Statement("SELECT pg_try_advisory_xact_lock(:lock, hashtext(:backend))")
_PASS = Statement(
    """
    INSERT INTO job_turns (backend, tenant) VALUES (:backend, :tenant)
    ON CONFLICT (backend) DO UPDATE SET tenant = excluded.tenant
    """
)
_RING = Statement(
    """
    WITH RECURSIVE ring(tenant, place) AS (
        SELECT (SELECT min(tenant) FROM jobs
                WHERE phase = 2 AND backend = :backend AND tenant > :after AND deadline_us > :wall), 1
        UNION ALL
        SELECT (SELECT min(tenant) FROM jobs
                WHERE phase = 2 AND backend = :backend AND tenant > ring.tenant AND deadline_us > :wall), place + 1
        FROM ring WHERE tenant IS NOT NULL AND place < :most
    )
    SELECT tenant FROM ring WHERE tenant IS NOT NULL
    """
)
_TAKE = Statement(
    """
    SELECT rank, number FROM jobs
    WHERE phase = 2 AND backend = :backend AND tenant = :tenant AND deadline_us > :wall
      AND (rank, number) > (:rank, :number)
    ORDER BY rank, number LIMIT :most {skip}
    """
)
_RIPEN = Statement(
    """
    UPDATE jobs SET phase = 2 WHERE number IN (
        SELECT number FROM jobs WHERE phase = 1 AND not_before_us <= :wall ORDER BY not_before_us LIMIT :most {skip}
    )
    """
)
_ANYTHING = Statement(
    """
    SELECT EXISTS (SELECT 1 FROM jobs WHERE phase = 2 AND backend = :backend) AS ready,
        EXISTS (SELECT 1 FROM jobs WHERE phase = 1 AND not_before_us <= :wall) AS ripe
    """
)


class Glance(NamedTuple):
    """What a look without a lock sees."""

    ready: bool
    ripe: bool  # there is something that has waited long enough


def glance(connection: Connection, backend: str, wall: int) -> Glance:
    """Whether a turn may find something. O(log n)."""
    row = _ANYTHING.on(connection, backend=backend, wall=wall).one()
    return Glance(bool(row.ready), bool(row.ripe))


def ripen(connection: Connection, wall: int) -> None:
    """What was to wait and has waited is ready. In pieces: what is more, the next look finds."""
    _RIPEN.on(connection, wall=wall, most=_PIECE)


def hold(connection: Connection, backend: str) -> tuple[int, bool]:
    """Who was served last, and whether this transaction may say who is now: another may be about to."""
    mine = is_sqlite(connection) or bool(_MINE.on(connection, lock=_LOCK, backend=backend).scalar())
    return int(_LAST.on(connection, backend=backend).scalar() or 0), mine


def pick(
    connection: Connection, backend: str, most: int, wall: int, turn: tuple[int, bool],
    held: Mapping[int, int] | None = None,
) -> list[int]:  # fmt: skip
    """The numbers of those whose turn it is, in order; locked, where a database locks rows. The turn is passed on.

    `held`: places that tenants have, where they share them and `most` is what is free; None: as they come.
    """
    last, mine = turn
    full = {tenant for tenant, count in (held or {}).items() if not shares.may_take(count, most)}
    ring = _ring(connection, backend, last, most + len(full), wall)
    tenants = [tenant for tenant in ring if tenant not in full][:most]
    if not tenants:
        return []
    whose: dict[int, int] = {}

    def take(tenant: int, count: int, after: Picked) -> list[Picked]:
        found = _TAKE.on(
            connection, backend=backend, tenant=tenant, wall=wall, rank=after.rank, number=after.number, most=count
        )
        picked = [Picked(row.rank, row.number) for row in found]
        whose.update((one.number, tenant) for one in picked)
        return picked

    numbers = deal(tenants, most, take)
    if mine:
        _PASS.on(connection, backend=backend, tenant=tenants[most % len(tenants) - 1])
    return numbers if held is None else shared(numbers, whose, held, most)


def shared(numbers: Sequence[int], whose: Mapping[int, int], held: Mapping[int, int], free: int) -> list[int]:
    """Those that may take a place, in order."""
    has = dict(held)
    taken: list[int] = []
    for number in numbers:
        tenant = whose[number]
        if shares.may_take(has.get(tenant, 0), free - len(taken)):
            has[tenant] = has.get(tenant, 0) + 1
            taken.append(number)
    return taken


def deal(tenants: Sequence[int], most: int, take: Take) -> list[int]:
    """One of each in turn, then again, until there are `most` or no more. At most `most` tenants."""
    hands: dict[int, list[Picked]] = {tenant: [] for tenant in tenants}
    live, room = list(tenants), most
    while live and room > 0:
        share, more = divmod(sum(len(hands[tenant]) for tenant in live) + room, len(live))
        going = []
        for place, tenant in enumerate(live):
            hand = hands[tenant]
            count = share + (place < more) - len(hand)
            got = take(tenant, count, hand[-1] if hand else _FIRST) if count else []
            hand += got
            room -= len(got)
            if len(got) == count:
                going.append(tenant)
        live = going
    return _in_turn([hand for hand in hands.values() if hand])


def _in_turn(hands: Sequence[Sequence[Picked]]) -> list[int]:
    longest = max(map(len, hands), default=0)
    return [hand[place].number for place in range(longest) for hand in hands if place < len(hand)]


def _ring(connection: Connection, backend: str, last: int, most: int, wall: int) -> list[int]:
    """At most so many tenants with ready work, the next one first."""
    found = list(_RING.on(connection, backend=backend, most=most, wall=wall, after=last).scalars())
    if len(found) < most and last > 0:
        again = _RING.on(connection, backend=backend, most=most - len(found), wall=wall, after=0).scalars()
        found += [tenant for tenant in again if tenant <= last]
    return found
