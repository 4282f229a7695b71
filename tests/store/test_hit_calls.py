"""Calls that the cache answered, as calls, in either database."""

from msgspec.structs import replace
from sqlalchemy import Engine, text

from tests.journal.hits import AT_US, hit, said
from tests.store.test_hits import put
from tidegate.store import hit_calls
from tidegate.store.calls import CallsQuery
from tidegate.store.engine import is_sqlite
from tidegate.store.tables import CALLS

ALL = CallsQuery(0, 1 << 62)


def test_a_hit_has_the_columns_of_a_call(engine: Engine) -> None:
    """Whose it was, for how long, under which ids; nothing was billed for it, and what it saved stands apart."""
    told = replace(
        hit(7), asked="smart", tier="paid", streamed=True, read_us=300, duration_us=40, request="r-1",
        trace=f"00-{'4b' * 16}-00f067aa0ba902b7-01",
    )  # fmt: skip
    put(engine, said(told))
    query = hit_calls.looking(ALL)
    assert query is not None
    with engine.connect() as connection:
        (row,) = hit_calls.rows(connection, query, 5)
    assert set(row) == {*CALLS.columns.keys(), "hit"}
    own = ("call_id", "namespace", "user", "key", "tier", "plan", "model", "provider", "served", "status", "cache")
    assert tuple(row[name] for name in own) == (
        7, "team", "ann", "app", "paid", "chat", "smart", "openai", "gpt/4o", 200, "exact",
    )  # fmt: skip
    assert (row["read_us"], row["duration_us"], row["streamed"]) == (300, 40, True)
    assert (row["trace_id"], row["request_id"]) == ("4b" * 16, "r-1")
    assert (row["attempts"], row["prompt_tokens"], row["cost_nano"], row["why"]) == (0, 0, 0, "")
    assert row["hit"] == {
        "layer": "exact", "source": 1, "similarity_permille": 1_000, "age_us": 9_000_000, "charged": False,
        "prompt_tokens": 60, "completion_tokens": 40, "cost_nano": 7_000,
    }  # fmt: skip


def test_what_no_hit_can_be_is_not_looked_for() -> None:
    """None failed, waited, was refused or has an account."""
    never = (
        {"errors": True}, {"words": ("rate",)}, {"waited_us": 1}, {"status": (400, 499)}, {"cache": "made"},
        {"filters": {"account": "x"}}, {"filters": {"scope": "main"}},
    )  # fmt: skip
    assert [hit_calls.looking(CallsQuery(0, 1, **one)) for one in never] == [None] * len(never)
    assert hit_calls.looking(CallsQuery(0, 1, status=(200, 299))) is not None


def test_an_index_finds_a_trace_and_a_request(engine: Engine) -> None:
    """Among any number of hits; and the newest of all, or of a namespace."""
    put(engine, said(*(hit(number, at_us=AT_US + number) for number in range(50))))
    wanted = {"trace_id": "ix_hits_trace_id", "request_id": "ix_hits_request_id"}
    for name, index in wanted.items():
        query = hit_calls.looking(CallsQuery(0, 1 << 62, {name: "x"}))
        assert query is not None
        told = query.compile(engine, compile_kwargs={"literal_binds": True})
        with engine.connect() as connection:
            if is_sqlite(engine):
                assert index in str(connection.execute(text(f"EXPLAIN QUERY PLAN {told}")).all())
            else:
                connection.execute(text("SET enable_seqscan = off"))
                assert name in str(connection.execute(text(f"EXPLAIN {told}")).all())
