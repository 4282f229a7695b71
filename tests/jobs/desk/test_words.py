"""Moments, preferences, queries, header lines and bodies, read as they are meant or refused with the field's name."""

import json
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.datastructures import QueryParams

from tidegate.jobs.desk import asks, calls, ids, listing
from tidegate.jobs.desk.errors import Refused
from tidegate.jobs.desk.moments import moment_us, shown, span_us
from tidegate.jobs.desk.prefer import Preference, preference
from tidegate.jobs.desk.submit import digest, once_of
from tidegate.jobs.records import Owner
from tidegate.model.jobs import JobSettings, WebhookSettings

_NOW = 1_700_000_000_000_000
_DAY = 86_400_000_000
_SETTINGS = JobSettings(webhooks=WebhookSettings(secret=b"s" * 32))
_CALL = {"path": "/v1/chat/completions", "body": {"model": "m", "messages": []}}


@pytest.mark.parametrize(
    ("told", "moment"),
    [
        ("1970-01-01T00:00:01Z", 1_000_000),
        ("1970-01-01t00:00:01.5z", 1_500_000),
        ("1970-01-01 00:00:01.000001999+00:00", 1_000_001),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1960-01-01T00:00:00Z", 0),
        (1, 1_000_000),
        (1.25, 1_250_000),
        (0, 0),
        (-1, None),
        (1e300, None),
        (float("nan"), None),
        (True, None),
        (None, None),
        ("", None),
        ("1970-01-01", None),
        ("1970-01-01T00:00:01", None),
        ("1970-13-01T00:00:01Z", None),
        ("1970-01-01T00:00:60Z", None),
        ("0001-01-01T00:00:00+23:59", 0),
        ("١٩٧٠-01-01T00:00:01Z", None),
        ([], None),
    ],
)
def test_moments(told: object, moment: int | None) -> None:
    """RFC 3339 with its offset, or seconds; nothing else."""
    assert moment_us(told) == moment


@given(st.integers(1, 253_402_300_799_999))
def test_moments_are_shown(milliseconds: int) -> None:
    """What is shown can be read again, and says UTC."""
    told = shown(milliseconds * 1_000)
    assert told is not None
    assert moment_us(told) == milliseconds * 1_000
    assert datetime.fromisoformat(told).tzinfo == UTC


def test_no_moment() -> None:
    """0 is none; a span may be negative, and is finite."""
    assert shown(0) is None
    assert (span_us(-2), span_us(0.5), span_us("1"), span_us(float("inf"))) == (-2_000_000, 500_000, None, None)


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        ([], Preference()),
        (["respond-async"], Preference(True)),
        (["Respond-Async, wait=10"], Preference(True, 10_000_000)),
        (["wait=10", 'return=minimal, respond-async;x="y"'], Preference(True, 10_000_000)),
        (['wait="5"'], Preference(False, 5_000_000)),
        (["wait=x, respond-async"], Preference(True)),
        (["wait=99999, respond-async"], Preference(True, 86_400_000_000)),
        (["wait=999999999999"], Preference()),
        (["wait=1, wait=2"], Preference(False, 1_000_000)),
        (["respond-asynchronous"], Preference()),
    ],
)
def test_preferences(lines: list[str], told: Preference) -> None:
    """As RFC 7240 writes them; what makes no sense is passed over."""
    assert preference(lines) == told


@pytest.mark.parametrize(
    ("more", "field"),
    [
        ({"path": 1}, "path"),
        ({"path": "/v1/models"}, "path"),
        ({"path": "/v1/chat/completions/"}, "path"),
        ({"path": "/v1/messages/count_tokens"}, "path"),
        ({"path": None}, "path"),
        ({"endpoint": "/v1/chat/completions"}, "endpoint"),
        ({"body": None}, "body"),
        ({"body": "{}"}, "body"),
        ({"body": {}}, "body.model"),
        ({"body": {"model": "m"}}, "body.messages"),
        ({"body": {"model": "m", "messages": [], "n": "x"}}, "body.n"),
        ({"not_before": "tomorrow"}, "not_before"),
        ({"not_before": 9e11}, "not_before"),
        ({"not_before": (_NOW + 400 * _DAY) // 1_000_000}, "not_before"),
        ({"deadline": "2023-11-14T22:13:19Z"}, "deadline"),
        ({"deadline": (_NOW + 400 * _DAY) // 1_000_000}, "deadline"),
        ({"not_before": _NOW // 1_000_000 + 9, "deadline": _NOW // 1_000_000 + 9}, "deadline"),
        ({"not_before": _NOW // 1_000_000 + 9, "deadline_seconds": 9}, "deadline_seconds"),
        ({"deadline": _NOW // 1_000_000 + 9, "deadline_seconds": 9}, "deadline_seconds"),
        ({"deadline_seconds": 0}, "deadline_seconds"),
        ({"deadline_seconds": None}, "deadline_seconds"),
        ({"deadline_seconds": 1e9}, "deadline_seconds"),
        ({"priority": 101}, "priority"),
        ({"priority": 1.0}, "priority"),
        ({"priority": True}, "priority"),
        ({"tags": "a"}, "tags"),
        ({"tags": [1]}, "tags"),
        ({"tags": ["a b"]}, "tags"),
        ({"tags": ["a" * 129]}, "tags"),
        ({"tags": list("abcdefghi")}, "tags"),
        ({"webhook": 1}, "webhook"),
        ({"webhook": "ftp://a"}, "webhook"),
        ({"webhook": "https://127.0.0.1/"}, "webhook"),
        ({"webhook": "https://a/" + "b" * 2_048}, "webhook"),
        ({"metadata": {}}, "metadata"),
    ],
)
def test_what_a_job_is_refused_for(more: dict[str, object], field: str) -> None:
    """The message names the field."""
    with pytest.raises(Refused) as refused:
        asks.read(json.dumps(_CALL | more).encode(), _SETTINGS, _NOW)
    assert refused.value.param == field
    assert field.partition(".")[0] in refused.value.message or field.startswith("body")


def test_what_a_job_is_taken_for() -> None:
    """Every field, absent or null where it says nothing."""
    told = {
        "not_before": "2023-11-14T22:13:30Z",
        "deadline": _NOW // 1_000_000 + 60,
        "priority": -100,
        "tags": ["a", "b", "a"],
        "webhook": "https://example.com/hook",
    }
    ask = asks.read(json.dumps(_CALL | told).encode(), _SETTINGS, _NOW)
    assert (ask.not_before_us, ask.deadline_us) == (_NOW + 10_000_000, _NOW + 60_000_000)
    assert (ask.priority, ask.tags, ask.webhook) == (-100, ("a", "b"), "https://example.com/hook")
    silent = asks.read(json.dumps(_CALL | dict.fromkeys(told)).encode(), _SETTINGS, _NOW)
    assert (silent.not_before_us, silent.priority, silent.tags, silent.webhook) == (0, 0, (), "")
    assert silent.deadline_us == _NOW + _SETTINGS.deadline_us


def test_a_late_beginning_has_a_later_deadline() -> None:
    """The usual deadline counts from when a job may begin; a relative one from now."""
    late = _NOW // 1_000_000 + 3_600
    ask = asks.read(json.dumps(_CALL | {"not_before": late}).encode(), _SETTINGS, _NOW)
    assert ask.deadline_us == late * 1_000_000 + _SETTINGS.deadline_us
    ask = asks.read(json.dumps(_CALL | {"deadline_seconds": 1.5}).encode(), _SETTINGS, _NOW)
    assert ask.deadline_us == _NOW + 1_500_000


def test_a_webhook_without_a_secret() -> None:
    """Is refused: nobody could know who sends it."""
    with pytest.raises(Refused, match="secret"):
        asks.read(json.dumps(_CALL | {"webhook": "https://example.com"}).encode(), JobSettings(), _NOW)


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("state=gone", "state"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=x", "limit"),
        ("limit=", "limit"),
        ("limit=1e1", "limit"),
        ("limit=٣", "limit"),
        ("order=asc", "order"),
        ("model=" + "m" * 257, "model"),
        ("tag=%00", "tag"),
    ],
)
def test_lists_refused(query: str, field: str) -> None:
    """The message names the parameter."""
    with pytest.raises(Refused) as refused:
        listing.filter_of(QueryParams(query), Owner())
    assert refused.value.param == field


def test_lists() -> None:
    """States may be told apart or together; a list looks one further than it shows."""
    told = listing.filter_of(QueryParams("state=done,failed&state=done&after=job_1&limit=100"), Owner("n"))
    assert (told.states, told.before, told.limit, told.owner) == (("done", "failed"), "job_1", 101, Owner("n"))
    assert listing.filter_of(QueryParams(""), Owner()).limit == 21
    assert listing.wait_us(QueryParams("wait=60")) == 60_000_000
    for wrong in ("wait=61", "wait=-1", "limit=1"):
        with pytest.raises(Refused):
            listing.wait_us(QueryParams(wrong))


def test_keys() -> None:
    """One of 1 to 255 bytes, or none."""
    assert once_of([(b"idempotency-key", b"k")]) == b"k"
    assert once_of([]) == b""
    for wrong in ([b""], [b"k" * 256], [b"a", b"a"]):
        with pytest.raises(Refused, match="Idempotency-Key"):
            once_of([(b"idempotency-key", key) for key in wrong])


@given(st.text(), st.binary(), st.text(), st.binary())
def test_digests(path: str, body: bytes, other: str, another: bytes) -> None:
    """Differ where path or body do, wherever one ends and the other begins."""
    path, other = path.encode(errors="replace").decode(), other.encode(errors="replace").decode()
    assert (digest(path, body) == digest(other, another)) == ((path, body) == (other, another))


def test_ids() -> None:
    """Sort by their moment, and are never the same."""
    made = [ids.new_id("job_", wall) for wall in range(0, 5_000, 1_000)]
    assert made == sorted(made)
    assert len({ids.new_id("job_", 0) for _ in range(1_000)}) == 1_000


@pytest.mark.parametrize(
    ("body", "kept"),
    [
        (b'{"model":"m","messages":[ ] }', b'{"model":"m","messages":[ ] }'),
        (b'{"stream":true,"model":"m","messages":[]}', b'{"model":"m","messages":[]}'),
        (b'{"model":"m","stream":null,"messages":[],"x":1.0}', b'{"model":"m","messages":[],"x":1.0}'),
        (b'{"model":"m","messages":[],"stream_options":{"include_usage":true}}', b'{"model":"m","messages":[]}'),
        (b'{"model":"m","messages":[],"\\u0073tream":true}', b'{"model":"m","messages":[]}'),
    ],
)
def test_whole_bodies(body: bytes, kept: bytes) -> None:
    """A body asks for a whole answer, and says everything else in its own bytes."""
    kind = calls.KINDS["/v1/chat/completions"]
    assert calls.whole(body, calls.shape_of(kind, body)) == kept


def test_every_call_may_be_a_job() -> None:
    """All that is governed and has an answer."""
    assert set(calls.KINDS) == {
        "/v1/chat/completions", "/v1/completions", "/v1/embeddings", "/v1/responses", "/v1/messages",
    }  # fmt: skip
