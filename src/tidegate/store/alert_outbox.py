"""What channels have to be told: an outbox in the database, read in order by whoever leads.

A message is claimed, sent, and then noted as sent. Whoever claimed it may die in between: then it can be claimed again
when its lease has ended, and is told a second time under the same id. So a message is sent at least once, and once more
at most for each death between sending and noting, which for one channel is one message at a time.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
from sqlalchemy import Connection, func, select, text, update

from tidegate.model.alerts import Notice
from tidegate.store.alert_tables import ALERT_NOTICES as NOTICES

WAITING: Final = "waiting"
CLAIMED: Final = "claimed"
SENT: Final = "sent"
FAILED: Final = "failed"
MOST_WAITING: Final = 500  # messages of a channel; then the oldest are given up
_LONGEST: Final = 500

_PUT: Final = text(
    "INSERT INTO alert_notices (id, channel, at_us, notice, stage, next_us, done_us, repeated) "
    "VALUES (:id, :channel, :at_us, :notice, :stage, 0, :done_us, :repeated) ON CONFLICT (id, channel) DO NOTHING"
)


class Claimed(NamedTuple):
    """A message that is somebody's to send; `tries` proves it."""

    number: int
    channel: str
    notice: Notice
    tries: int
    repeated: bool  # it may have been sent before
    problem: str = ""  # of the try before


class Row(NamedTuple):
    """A message as it stands."""

    notice: Notice
    channel: str
    stage: str
    tries: int
    done_us: int
    repeated: bool
    problem: str


def put(
    connection: Connection, notices: Iterable[tuple[str, Notice]], done: frozenset[tuple[str, str]], now: int
) -> None:
    """Add messages, by channel; `done` are ids and channels of those that were sent while nothing could be written."""
    rows = []
    for channel, notice in notices:
        sent = (notice.id, channel) in done
        rows.append(
            {"id": notice.id, "channel": channel, "at_us": notice.at_us, "notice": msgspec.json.encode(notice).decode(),
             "stage": SENT if sent else WAITING, "done_us": now if sent else 0, "repeated": False}
        )  # fmt: skip
    if rows:
        connection.execute(_PUT, rows)


def claim(connection: Connection, channel: str, now: int, lease_us: int) -> Claimed | None:
    """The oldest message of a channel, for so long; None: there is none, or its time has not come."""
    open_ones = NOTICES.c.stage.in_((WAITING, CLAIMED))
    query = select(NOTICES).where(NOTICES.c.channel == channel, open_ones).order_by(NOTICES.c.number).limit(1)
    row = connection.execute(query).first()
    if row is None or row.next_us > now:
        return None
    repeated = row.repeated or row.stage == CLAIMED
    changed = {"stage": CLAIMED, "next_us": now + lease_us, "tries": row.tries + 1, "repeated": repeated}
    connection.execute(update(NOTICES).where(NOTICES.c.number == row.number).values(changed))
    notice = msgspec.json.decode(row.notice, type=Notice)
    return Claimed(row.number, channel, notice, row.tries + 1, repeated, row.problem)


def sent(connection: Connection, claimed: Claimed, now: int) -> None:
    """It has been taken. No fence: whoever leads now, that is so."""
    _settle(connection, claimed, {"stage": SENT, "done_us": now, "next_us": 0})


def failed(connection: Connection, claimed: Claimed, now: int, problem: str) -> None:
    """It is given up."""
    _settle(connection, claimed, {"stage": FAILED, "done_us": now, "next_us": 0, "problem": problem[:_LONGEST]})


def later(connection: Connection, claimed: Claimed, next_us: int, problem: str) -> None:
    """It was not taken; it is tried again at that moment, and what follows it waits."""
    _settle(connection, claimed, {"stage": WAITING, "next_us": next_us, "problem": problem[:_LONGEST]})


def drop_crowd(connection: Connection, now: int) -> dict[str, int]:
    """Give up the oldest where too many wait; how many, by channel. O(channels)."""
    given_up: dict[str, int] = {}
    for channel, count in waiting(connection).items():
        if count > MOST_WAITING:
            query = select(NOTICES.c.number).where(NOTICES.c.channel == channel, NOTICES.c.stage == WAITING)
            numbers = list(connection.execute(query.order_by(NOTICES.c.number).limit(count - MOST_WAITING)).scalars())
            changed = {"stage": FAILED, "done_us": now, "problem": "too many messages wait for this channel"}
            connection.execute(update(NOTICES).where(NOTICES.c.number.in_(numbers)).values(changed))
            given_up[channel] = len(numbers)
    return given_up


def drop_strangers(connection: Connection, channels: Sequence[str], now: int) -> None:
    """What waits for channels that are no more is given up."""
    query = update(NOTICES).where(NOTICES.c.stage == WAITING, NOTICES.c.channel.not_in(list(channels)))
    connection.execute(query.values(stage=FAILED, done_us=now, problem="there is no such channel any more"))


def waiting(connection: Connection) -> dict[str, int]:
    """How many are to be sent, by channel."""
    query = select(NOTICES.c.channel, func.count()).where(NOTICES.c.stage.in_((WAITING, CLAIMED)))
    return {row[0]: row[1] for row in connection.execute(query.group_by(NOTICES.c.channel))}


def rows(connection: Connection, channel: str = "", limit: int = 100) -> list[Row]:
    """Messages, the newest first; of one channel, "" = of all."""
    query = select(NOTICES).order_by(NOTICES.c.number.desc()).limit(limit)
    query = query.where(NOTICES.c.channel == channel) if channel else query
    return [
        Row(
            msgspec.json.decode(row.notice, type=Notice), row.channel, row.stage, row.tries, row.done_us, row.repeated,
            row.problem,
        )
        for row in connection.execute(query)
    ]  # fmt: skip


def _settle(connection: Connection, claimed: Claimed, values: dict[str, object]) -> None:
    """Unless somebody else has claimed it meanwhile."""
    mine = NOTICES.c.number == claimed.number, NOTICES.c.tries == claimed.tries, NOTICES.c.stage == CLAIMED
    connection.execute(update(NOTICES).where(*mine).values(values))
