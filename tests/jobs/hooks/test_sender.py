"""Webhooks, from the rows to a receiver with a certificate."""

import asyncio
import itertools
import json
import ssl
from collections.abc import Callable, Sequence

import pytest
from sqlalchemy import text
from standardwebhooks import Webhook

from tests.jobs.hooks.stand import (
    HOUR,
    SECOND,
    SECRET,
    Book,
    Home,
    Receiver,
    Sender,
    WallClock,
    advance,
    end,
    job,
    poke,
    quiet,
    until,
)
from tidegate.jobs.hooks import claims
from tidegate.jobs.hooks.log import deliveries
from tidegate.jobs.records import Owner
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import CANCELLED, DEAD, FAILED, WebhookSettings


def state(rows: JobRows, name: str = "job_1") -> tuple[str, int]:
    with rows.engine.connect() as connection:
        row = connection.execute(text("SELECT hook_state, hook_attempts FROM jobs WHERE id = :id"), {"id": name}).one()
    return row[0], row[1]


def logged(rows: JobRows, name: str = "job_1") -> list[tuple[int, int, str]]:
    return [(one.attempt, one.status, one.error) for one in deliveries(rows, name)]


@pytest.fixture
def tried(rows: JobRows) -> Callable[[int], Callable[[], bool]]:
    def times(count: int) -> Callable[[], bool]:
        return lambda: len(deliveries(rows, "job_1")) >= count

    return times


# ── what is told ────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_the_end_of_a_job_is_told_once(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender
) -> None:
    """Signed as the standard says, for the name that was asked for, with no word of what was asked and answered."""
    end(rows, clock, job("job_1", receiver.url("/hook?a=b"), clock))
    await poke(sender, clock)
    await until(lambda: state(rows) == ("sent", 1))
    (told,) = receiver.told
    assert told.path == "/hook?a=b"
    assert told.headers["host"] == f"hooks.example:{receiver.port}"
    said = Webhook(SECRET).verify(told.body, told.headers)
    assert said["type"] == "job.done"
    data = said["data"]
    assert (data["id"], data["state"], data["path"], data["model"]) == (
        "job_1",
        "done",
        "/v1/chat/completions",
        "small",
    )
    assert (data["status"], data["result"], data["tags"]) == (200, "/v1/jobs/job_1/result", ["night"])
    assert data["usage"] == {"prompt_tokens": 7, "completion_tokens": 5}
    assert said["timestamp"] == data["finished_at"]
    assert b"secret" not in told.body
    assert logged(rows) == [(1, 200, "")]
    await clock.advance(48 * HOUR)
    assert len(receiver.told) == 1


@pytest.mark.parametrize(
    ("became", "reason"),
    [(FAILED, "refused: the prompt was: secret"), (DEAD, "attempts: upstream said secret"), (CANCELLED, "")],
)
async def test_every_end_is_told(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, became: str, reason: str
) -> None:
    """With the word why, and without what was said."""
    end(rows, clock, job("job_1", receiver.url("/hook"), clock), state=became, reason=reason)
    await poke(sender, clock)
    await until(lambda: bool(receiver.told))
    said = json.loads(receiver.told[0].body)
    assert (said["type"], said["data"]["reason"]) == (f"job.{became}", reason.partition(":")[0] or None)
    assert "secret" not in str(said)


async def test_a_job_that_begins_anew_has_another_event(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender
) -> None:
    """Its receiver does not take the second end for the first one told again."""
    end(rows, clock, job("job_1", receiver.url("/hook"), clock), state=DEAD)
    await poke(sender, clock)
    await until(lambda: state(rows) == ("sent", 1))
    await clock.advance(SECOND)
    rows.requeue("job_1", clock.wall() + HOUR, clock.wall())
    rows.cancel("job_1", None, clock.wall())
    await poke(sender, clock)
    await until(lambda: len(receiver.told) == 2)
    assert len({told.headers["webhook-id"] for told in receiver.told}) == 2


# ── again ───────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_what_fails_is_told_again_and_given_up(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender
) -> None:
    """With pauses that grow, the same id and body, a fresh date; after the last attempt nobody asks any more."""
    end(rows, clock, job("job_1", receiver.url("/status/500"), clock))
    await advance(clock, sender, lambda: state(rows)[0] == "given_up", HOUR)
    assert state(rows) == ("given_up", 8)
    assert logged(rows) == [(attempt, 500, "") for attempt in range(1, 9)]
    assert len({(told.headers["webhook-id"], told.body) for told in receiver.told}) == 1
    moments = [int(told.headers["webhook-timestamp"]) for told in receiver.told]
    pauses = [later - earlier for earlier, later in itertools.pairwise(moments)]
    assert pauses[1] > 300
    assert pauses[-1] > 10 * 3_600


async def test_a_receiver_that_is_gone_is_not_asked_again(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender
) -> None:
    """410 is its last word."""
    end(rows, clock, job("job_1", receiver.url("/status/410"), clock))
    await poke(sender, clock)
    await until(lambda: state(rows) == ("given_up", 1))


async def test_a_receiver_says_when(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, tried: Callable[[int], Callable[[], bool]]
) -> None:
    """Retry-After is kept to."""
    end(rows, clock, job("job_1", receiver.url("/later/7200"), clock))
    await advance(clock, sender, tried(2), 600 * SECOND)
    first, second = (int(told.headers["webhook-timestamp"]) for told in receiver.told[:2])
    assert second - first >= 7_200


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/big", 200, ""),
        ("/cut", 0, "no_answer"),
        ("/nonsense", 0, "no_http"),
        ("/endless-head", 0, "no_answer"),
        ("/early", 204, ""),
        ("/status/404", 404, ""),
    ],
)
async def test_what_a_receiver_may_do(
    rows: JobRows,
    clock: WallClock,
    receiver: Receiver,
    sender: Sender,
    tried: Callable[[int], Callable[[], bool]],
    path: str,
    status: int,
    error: str,
) -> None:
    """Say too much, or something else: an attempt ends, and its connection is let go."""
    end(rows, clock, job("job_1", receiver.url(path), clock))
    await poke(sender, clock)
    await until(tried(1))
    assert logged(rows) == [(1, status, error)]
    await until(lambda: receiver.open == 0)


async def test_nobody_there(rows: JobRows, clock: WallClock, sender: Sender, receiver: Receiver) -> None:
    """A port that nobody listens at, and a server that speaks no TLS: the log says which."""

    def greet(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 mail.example ESMTP\r\n")
        writer.close()

    mail = await asyncio.start_server(greet, "127.0.0.1", 0)
    receiver.stop()
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    end(rows, clock, job("job_2", f"https://hooks.example:{mail.sockets[0].getsockname()[1]}/", clock))
    await poke(sender, clock)
    await until(lambda: logged(rows) == [(1, 0, "no_connection")])
    await until(lambda: logged(rows, "job_2") == [(1, 0, "tls_failed")])
    mail.close()


async def test_a_defect_costs_an_attempt(
    rows: JobRows, clock: WallClock, receiver: Receiver, home: Home, capfd: pytest.CaptureFixture[str]
) -> None:
    """It is told to the operator, and tried again; authorities are the system's, who do not know this one."""

    class Broken(Book):
        async def addresses(self, host: str) -> Sequence[bytes]:
            if not self.asked:
                self.asked.append(host)
                raise RuntimeError("on purpose")
            return await super().addresses(host)

    sender = Sender(home, Broken())
    running = asyncio.create_task(sender.run())
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    await advance(clock, sender, lambda: len(deliveries(rows, "job_1")) == 2)
    assert logged(rows) == [(1, 0, "failed"), (2, 0, "bad_certificate")]
    assert "on purpose" in capfd.readouterr().err
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


@pytest.mark.parametrize(("path", "status"), [("/silent", 0), ("/drip", 0), ("/dripping-body", 200)])
async def test_an_attempt_ends_in_time(
    rows: JobRows,
    clock: WallClock,
    receiver: Receiver,
    sender: Sender,
    tried: Callable[[int], Callable[[], bool]],
    path: str,
    status: int,
) -> None:
    """However slowly a receiver speaks; who has said its status has answered."""
    end(rows, clock, job("job_1", receiver.url(path), clock))
    await poke(sender, clock)
    await until(lambda: bool(receiver.told))
    await advance(clock, sender, tried(1), stuck=1)
    ((_, said, error),) = logged(rows)
    assert (said, error) == (status, "" if status else "timed_out")
    assert deliveries(rows, "job_1")[0].took_us <= 16 * SECOND
    await until(lambda: receiver.open == 0)


# ── where it may go ─────────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_redirect_is_not_followed(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, book: Book,
    tried: Callable[[int], Callable[[], bool]],
) -> None:  # fmt: skip
    """Not to a private address, not to anywhere."""
    receiver.redirect = receiver.url("/inside", "127.0.0.1")
    end(rows, clock, job("job_1", receiver.url("/redirect"), clock))
    await advance(clock, sender, tried(2))
    assert {told.path for told in receiver.told} == {"/redirect"}
    assert logged(rows)[0] == (1, 307, "")
    assert set(book.asked) == {"hooks.example"}


async def test_what_is_not_public_is_not_called(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, home: Home, book: Book,
    tried: Callable[[int], Callable[[], bool]],
) -> None:  # fmt: skip
    """Whatever else the name stands for, and whether there is such a name at all: the log says the same."""
    home.settings = home.settings.__class__(webhooks=WebhookSettings(SECRET))
    book.named = {"hooks.example": [["8.8.8.8", "127.0.0.1"], [], ["::ffff:127.0.0.1"], ["64:ff9b::7f00:1"]]}
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    await advance(clock, sender, tried(4), 600 * SECOND)
    assert logged(rows) == [(attempt, 0, "no_public_address") for attempt in range(1, 5)]
    assert receiver.told == []
    assert receiver.open == 0


async def test_a_name_that_changes_is_called_where_it_was_judged(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, home: Home, book: Book
) -> None:
    """One look-up an attempt: nobody can show one address to the judge and another to the connection."""
    home.settings = home.settings.__class__(webhooks=WebhookSettings(SECRET, allow=("127.0.0.1",)))
    book.named = {"hooks.example": [["127.0.0.1"], ["169.254.169.254"]]}
    end(rows, clock, job("job_1", receiver.url("/status/500"), clock))
    await poke(sender, clock)
    await until(lambda: len(deliveries(rows, "job_1")) == 1)
    assert book.asked == ["hooks.example"]
    await advance(clock, sender, lambda: len(deliveries(rows, "job_1")) == 2)
    assert logged(rows) == [(1, 500, ""), (2, 0, "no_public_address")]
    assert len(receiver.told) == 1


async def test_a_certificate_must_be_for_the_name(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, tried: Callable[[int], Callable[[], bool]]
) -> None:
    """The address is the right one, and what answers there is not who was asked for."""
    end(rows, clock, job("job_1", receiver.url("/hook", "other.example"), clock))
    await advance(clock, sender, tried(1))
    assert logged(rows)[0] == (1, 0, "bad_certificate")
    assert receiver.told == []


async def test_plain_http_is_signed_too(rows: JobRows, clock: WallClock, sender: Sender) -> None:
    """Inside a network that the operator allows."""
    plain = Receiver(None, clock)
    await plain.start()
    end(rows, clock, job("job_1", plain.url("/hook", "127.0.0.1"), clock))
    await poke(sender, clock)
    await until(lambda: state(rows)[0] == "sent")
    assert Webhook(SECRET).verify(plain.told[0].body, plain.told[0].headers)
    plain.stop()


async def test_what_is_allowed_no_more_is_not_called(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, home: Home
) -> None:
    """The configuration that counts is the one in force when it is sent."""
    home.settings = home.settings.__class__(webhooks=WebhookSettings(SECRET))
    end(rows, clock, job("job_1", f"https://127.0.0.1:{receiver.port}/", clock))
    await poke(sender, clock)
    await until(lambda: logged(rows) == [(1, 0, "not_allowed")])
    assert receiver.told == []


# ── who waits for whom ──────────────────────────────────────────────────────────────────────────────────────────────


async def test_a_host_that_never_answers_delays_nobody_else(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender
) -> None:
    """200 webhooks to it are due before those that others wait for: these are told at once."""
    end(rows, clock, *(job(f"slow_{n}", receiver.url("/silent"), clock) for n in range(200)))
    fast = Receiver(None, clock)
    await fast.start()
    ends = [job(f"fast_{n}", fast.url("/hook", f"h{n}.example"), clock, "other") for n in range(8)]
    end(rows, clock, *ends, job("fast_8", fast.url("/hook", "h8.example"), clock))
    await poke(sender, clock)
    await until(lambda: len(fast.told) == 9)
    assert len(receiver.told) == 8
    fast.stop()


async def test_a_tenant_has_no_more_than_its_places(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, book: Book
) -> None:
    """However many names it has for what never answers."""
    plain = Receiver(None, clock)
    await plain.start()
    end(rows, clock, *(job(f"slow_{n}", plain.url("/silent", f"h{n}.example"), clock) for n in range(40)))
    end(rows, clock, job("job_1", receiver.url("/hook"), clock, "other"))
    await poke(sender, clock)
    await until(lambda: bool(receiver.told))
    await until(lambda: len(plain.told) == 16)
    await advance(clock, sender, lambda: clock.now() > 10 * SECOND, stuck=16)
    assert len(plain.told) == 16
    plain.stop()


async def test_the_next_one_begins_when_one_has_come_back(
    rows: JobRows, clock: WallClock, sender: Sender, home: Home
) -> None:
    """A host that answers is not idle until the next look: no time passes here. What waits leaves with the sender."""
    plain = Receiver(None, clock)
    await plain.start()
    end(rows, clock, *(job(f"job_{n}", plain.url("/hook", "127.0.0.1"), clock) for n in range(8)))
    await poke(sender, clock)
    await until(lambda: len(plain.told) == 8)
    held = [job(f"held_{n}", plain.url("/held", "127.0.0.1"), clock) for n in range(40)]
    end(rows, clock, *held)
    await poke(sender, clock)
    await until(lambda: len(plain.told) == 16)
    plain.gate.set()
    await until(lambda: len(plain.told) == 48)
    await until(lambda: all(state(rows, one.id) == ("sent", 1) for one in held))
    plain.stop()


async def test_who_waits_in_line_is_free_when_the_sender_ends(
    rows: JobRows, clock: WallClock, receiver: Receiver, home: Home, book: Book, trusting: ssl.SSLContext
) -> None:
    """Another one takes it at once; only what was on its way waits for the end of its lease."""
    end(rows, clock, *(job(f"job_{n}", receiver.url("/held"), clock) for n in range(20)))
    sender = Sender(home, book, trusting)
    running = asyncio.create_task(sender.run())
    await until(lambda: len(receiver.told) == 8)
    await quiet(sender, 8)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    free = claims.claim(rows.engine, 100, SECOND, clock.wall())
    assert {hook.about for hook in free}.isdisjoint({json.loads(told.body)["data"]["id"] for told in receiver.told})
    assert len(free) == 12


async def test_many_to_one_host_all_arrive(rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender) -> None:
    """More than it has places are put off, none is lost, and none is told twice."""
    plain = Receiver(None, clock)
    await plain.start()
    end(rows, clock, *(job(f"job_{n}", plain.url(f"/hook/{n}", "127.0.0.1"), clock) for n in range(150)))
    await advance(clock, sender, lambda: len(plain.told) >= 150)
    await clock.advance(HOUR)
    assert len({told.headers["webhook-id"] for told in plain.told}) == len(plain.told) == 150
    plain.stop()


# ── what may be away ────────────────────────────────────────────────────────────────────────────────────────────────


async def test_without_a_secret_nothing_is_sent(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, home: Home
) -> None:
    """It waits in the rows until there is one."""
    settings, home.settings = home.settings, home.settings.__class__()
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    await advance(clock, sender, lambda: clock.now() > 30 * SECOND)
    assert receiver.told == []
    home.settings = settings
    await advance(clock, sender, lambda: bool(receiver.told))


async def test_who_begins_again_has_all_its_places(
    rows: JobRows, clock: WallClock, receiver: Receiver, home: Home, book: Book, trusting: ssl.SSLContext
) -> None:
    """What was on its way when it was cancelled is sent when its lease is over, by the same sender as by another."""
    end(rows, clock, *(job(f"job_{n}", receiver.url("/held"), clock) for n in range(8)))
    sender = Sender(home, book, trusting)
    first = asyncio.create_task(sender.run())
    await until(lambda: len(receiver.told) == 8)
    first.cancel()
    await asyncio.gather(first, return_exceptions=True)
    assert sender._places.free == 64
    receiver.gate.set()
    second = asyncio.create_task(sender.run())
    await advance(clock, sender, lambda: len(receiver.told) == 16)
    second.cancel()
    await asyncio.gather(second, return_exceptions=True)
    assert len({told.headers["webhook-id"] for told in receiver.told}) == 8


async def test_a_database_that_is_away_loses_nothing(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, home: Home
) -> None:
    """What came back waits to be written, and is not sent again meanwhile."""
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    home.away = claims.note
    await advance(clock, sender, lambda: len(receiver.told) == 1 and home.refused > 3)
    assert state(rows) == ("due", 0)
    home.away = None
    await advance(clock, sender, lambda: state(rows) == ("sent", 1))
    assert len(receiver.told) == 1
    assert logged(rows) == [(1, 200, "")]


async def test_old_deliveries_are_forgotten(
    rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender, home: Home
) -> None:
    """With the jobs that they are of."""
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    await poke(sender, clock)
    await until(lambda: state(rows)[0] == "sent")
    await clock.advance(home.settings.keep_us)
    await advance(clock, sender, lambda: deliveries(rows, "job_1") == [], 600 * SECOND)


async def test_an_owner_is_no_part_of_it(rows: JobRows, clock: WallClock, receiver: Receiver, sender: Sender) -> None:
    """Names of keys and users stay inside."""
    end(rows, clock, job("job_1", receiver.url("/hook"), clock))
    await poke(sender, clock)
    await until(lambda: bool(receiver.told))
    assert rows.find("job_1", Owner("sales")) is not None
    assert b"sales" not in receiver.told[0].body
