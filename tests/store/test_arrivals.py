"""Calls as they arrived, read page by page."""

from msgspec.structs import replace
from sqlalchemy import Engine

from tests.journal.facts import record
from tests.journal.hits import hit
from tests.journal.hits import said as hits
from tests.store.test_write import known, put
from tidegate.model.arrivals import Arrival, Asked
from tidegate.model.facts import CallRecord, Fact, Try
from tidegate.store.arrivals import ArrivalsQuery, arrivals, cursor_of

AT = record(1).at_us
ALWAYS = (AT - 1, AT + 86_400_000_000)
REFUSAL = Try("openai/main/gpt-4o", AT - 1_500, 2, 429, "rate", 0, 0, 0, 0, 9, False, 0)
ANSWER = Try("spare/main/gpt-4o", AT - 1_000, 3, 200, "", 60, 40, 0, 0, 9, False, 0)


def everything(engine: Engine, **more: object) -> list[Arrival]:
    """All pages."""
    found: list[Arrival] = []
    wanted = ArrivalsQuery(*ALWAYS, **more)  # type: ignore[arg-type]
    with engine.connect() as connection:
        while True:
            page = arrivals(connection, wanted)
            found += page.arrivals
            if not page.next:
                return found
            wanted = wanted._replace(behind=cursor_of(page.next))


def fill(engine: Engine, *facts: Fact) -> None:
    put(engine, known(engine), *facts)


def test_a_call_arrived_before_it_ended(engine: Engine) -> None:
    """What became of it stands with it; attempts where its row does not tell them."""
    plain = replace(record(1), tenant="team", user="ann", tier="vip", status=200, queued_us=7)
    moved = replace(record(2), tries=(REFUSAL, ANSWER), attempts=2)
    fill(engine, plain, moved)
    one, two = everything(engine)
    assert (one.at_us, one.namespace, one.user, one.key, one.tier) == (AT - 2_000, "team", "ann", "app", "vip")
    assert (one.provider, one.scope, one.served, one.status, one.queued_us) == ("openai", "main", "gpt-4o", 200, 7)
    assert (one.prompt_tokens, one.completion_tokens, one.tries) == (60, 40, ())
    assert two.tries == (
        Asked("openai", "main", "gpt-4o", 500, 2, 429, "rate"),
        Asked("spare", "main", "gpt-4o", 1_000, 3, 200),
    )


def test_refused_calls_and_hits_are_arrivals(engine: Engine) -> None:
    """A hit says which layer answered it."""
    fill(engine, replace(record(1), status=429, target="", attempts=0, request_bytes=77), hits(hit(5, at_us=AT)))
    one, two = everything(engine)
    assert (one.status, one.provider, one.request_bytes) == (429, "", 77)
    assert (two.hit, two.status, two.at_us) == ("exact", 200, AT)


def test_pages_hold_each_call_once(engine: Engine) -> None:
    """Whatever their size, of one namespace or of all."""
    records: list[CallRecord] = [
        replace(record(n), at_us=AT + n, tenant="even" if n % 2 == 0 else "odd") for n in range(1, 24)
    ]
    fill(engine, *records)
    for limit in (1, 5, 23, 24, 100):
        assert [one.at_us + 2_000 - AT for one in everything(engine, limit=limit)] == list(range(1, 24))
    assert [one.namespace for one in everything(engine, limit=4, namespace="odd")] == ["odd"] * 12
    with engine.connect() as connection:
        none = arrivals(connection, ArrivalsQuery(AT + 100, AT + 200))
    assert (none.arrivals, none.next) == ((), "hits-0-0-0")


def test_a_cursor_is_what_a_page_gave() -> None:
    """Nothing else is one, however long its numbers."""
    for text in ("", "calls", "calls-1-2", "calls-1-2-x", "jobs-1-2-3", "calls-1-2-3-4", f"calls-1-2-{1 << 63}",
                 "calls-9999999999-1-1", "calls-1-99999-1", "calls--1-2-3", "calls-1-2-²"):  # fmt: skip
        assert cursor_of(text) is None
    assert str(cursor_of("hits-1-2-3")) == "hits-1-2-3"
