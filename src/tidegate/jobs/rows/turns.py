"""Who is next: tenants in turn, within one by rank, then by age.

A turn goes round the tenants that have due work by their numbers, and begins after the one that was served last. The
index of what is ready is walked from tenant to tenant ("loose index scan"), so that a look costs O(most · log n) and
nothing of what waits behind.
"""

from collections.abc import Callable, Sequence
from typing import NamedTuple

from sqlalchemy import Connection, text

from tidegate.store.engine import is_sqlite

_PIECE = 1_000


class Picked(NamedTuple):
    """A job whose turn it is."""

    rank: int
    number: int


Take = Callable[[int, int, Picked], list[Picked]]
"""So many of a tenant, after that one; fewer: there are no more."""

_FIRST = Picked(-(2**15), 0)

_LAST = text("SELECT tenant FROM job_turns WHERE backend = :backend")
_LOCKED = text("SELECT tenant FROM job_turns WHERE backend = :backend FOR UPDATE SKIP LOCKED")
_BEGIN = text("INSERT INTO job_turns (backend, tenant) VALUES (:backend, 0) ON CONFLICT DO NOTHING")
_PASS = text("UPDATE job_turns SET tenant = :tenant WHERE backend = :backend")
_RING = text(
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
_ONES = """
    SELECT rank, number FROM jobs
    WHERE phase = 2 AND backend = :backend AND tenant = :tenant AND deadline_us > :wall
      AND (rank, number) > (:rank, :number)
    ORDER BY rank, number LIMIT :most
"""
_DUE = """
    UPDATE jobs SET phase = 2 WHERE number IN (
        SELECT number FROM jobs WHERE phase = 1 AND not_before_us <= :wall ORDER BY not_before_us LIMIT :most
"""
_SKIP = "FOR UPDATE SKIP LOCKED"
_TAKE = {True: text(_ONES), False: text(_ONES + _SKIP)}
_RIPEN = {True: text(_DUE + ")"), False: text(_DUE + _SKIP + ")")}
_ANYTHING = text(
    """
    SELECT EXISTS (SELECT 1 FROM jobs WHERE phase = 2 AND backend = :backend)
        OR EXISTS (SELECT 1 FROM jobs WHERE phase = 1 AND not_before_us <= :wall)
    """
)


def anything(connection: Connection, backend: str, wall: int) -> bool:
    """Whether a turn may find something. O(log n), and takes no lock."""
    return bool(connection.execute(_ANYTHING, {"backend": backend, "wall": wall}).scalar())


def ripen(connection: Connection, wall: int) -> None:
    """What was to wait and has waited is ready. In pieces: what is more, the next look finds."""
    connection.execute(_RIPEN[is_sqlite(connection)], {"wall": wall, "most": _PIECE})


def hold(connection: Connection, backend: str) -> tuple[int, bool]:
    """Who was served last, and whether this transaction may say who is now: another may be about to."""
    connection.execute(_BEGIN, {"backend": backend})
    if not is_sqlite(connection):
        held = connection.execute(_LOCKED, {"backend": backend}).scalar()
        if held is not None:
            return int(held), True
    return int(connection.execute(_LAST, {"backend": backend}).scalar() or 0), is_sqlite(connection)


def pick(connection: Connection, backend: str, most: int, wall: int) -> list[int]:
    """The numbers of those whose turn it is, in order; locked, where a database locks rows. The turn is passed on."""
    last, mine = hold(connection, backend)
    tenants = _ring(connection, backend, last, most, wall)
    if not tenants:
        return []
    statement = _TAKE[is_sqlite(connection)]

    def take(tenant: int, count: int, after: Picked) -> list[Picked]:
        values = {"backend": backend, "tenant": tenant, "wall": wall, "most": count}
        found = connection.execute(statement, values | {"rank": after.rank, "number": after.number})
        return [Picked(row.rank, row.number) for row in found]

    numbers = deal(tenants, most, take)
    if mine:
        connection.execute(_PASS, {"backend": backend, "tenant": tenants[most % len(tenants) - 1]})
    return numbers


def deal(tenants: Sequence[int], most: int, take: Take) -> list[int]:
    """One of each in turn, then again, until there are `most` or no more. At most `most` tenants."""
    hands: dict[int, list[Picked]] = {tenant: [] for tenant in tenants}
    live, room = list(tenants), most
    while live and room > 0:
        share, more = divmod(room, len(live))
        going = []
        for place, tenant in enumerate(live):
            count = share + (place < more)
            hand = hands[tenant]
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
    values = {"backend": backend, "most": most, "wall": wall}
    found = list(connection.execute(_RING, values | {"after": last}).scalars())
    if len(found) < most and last > 0:
        again = connection.execute(_RING, values | {"after": 0, "most": most - len(found)}).scalars()
        found += [tenant for tenant in again if tenant <= last]
    return found
