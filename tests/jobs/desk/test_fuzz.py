"""Whatever is sent, the desk answers: what is wrong is refused, and nothing is a failure of its own."""

import asyncio
import base64
import json
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.jobs.desk.stand import ALICE, ASK, CHAT, Reply, Stand
from tidegate.model.jobs import CALLER_HEADER, HOLD_HEADER, JobSettings, WebhookSettings

_REQUEST = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

_TEXT = st.text(max_size=20)
_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | _TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(_TEXT, inner, max_size=4),
    max_leaves=8,
)
_MOMENT = _JSON | st.datetimes().map(lambda when: f"{when.isoformat()}Z") | st.floats() | st.integers()
_FIELDS = st.fixed_dictionaries(
    {},
    optional={
        "path": _JSON | st.sampled_from([CHAT, "/v1/messages", "/v1/responses", "/v1/embeddings", "/v1/models"]),
        "endpoint": _JSON,
        "body": _JSON | st.just(ASK) | st.dictionaries(st.sampled_from(["model", "messages", "stream", "n"]), _JSON),
        "not_before": _MOMENT,
        "deadline": _MOMENT,
        "deadline_seconds": _MOMENT,
        "priority": _JSON | st.integers(-101, 101),
        "tags": _JSON | st.lists(_TEXT),
        "webhook": _JSON | st.sampled_from(["http://", "https://a", "http://[", "ftp://a", "https://a:99999"]),
        "more": _JSON,
    },
)
_HEADER = st.text(st.characters(codec="latin-1", exclude_categories=["Cc"]), max_size=40)
_OURS = (HOLD_HEADER.decode(), CALLER_HEADER.decode())
_QUERY = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters="#"), max_size=60)


class Place:
    """One desk for all examples."""

    def __init__(self, stand: Stand, runner: asyncio.Runner) -> None:
        self._stand = stand
        self._runner = runner

    def ask(self, method: str, target: str, body: object, **headers: str) -> Reply:
        caller = None if CALLER_HEADER.decode() in headers else ALICE
        return self._runner.run(self._stand.ask(method, target, body, caller, **headers))


@pytest.fixture(scope="module")
def desk() -> Iterator[Place]:
    settings = JobSettings(enabled=True, webhooks=WebhookSettings(secret=b"s" * 32))
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner:
        stand = runner.run(opened(Path(folder), settings))
        yield Place(stand, runner)
        stand.desk.close()
        stand.desk.rows.engine.dispose()


async def opened(folder: Path, settings: JobSettings) -> Stand:
    stand = Stand(folder, settings)
    stand.open_rows()
    return stand


def right(reply: Reply, *others: int) -> None:
    """An answer, or a refusal that says what is wrong."""
    assert reply.status in {200, 202, 400, 401, 404, 405, 409, *others}, reply.body
    if reply.status >= 400:
        assert reply.error["message"]


def encoded(value: object) -> bytes:
    """As JSON, also what is none, as Python says it: NaN."""
    return json.dumps(value, ensure_ascii=False).encode("utf-8", "surrogatepass")


@given(_FIELDS)
@_REQUEST
def test_fields(desk: Place, fields: dict[str, object]) -> None:
    """Of a new job."""
    right(desk.ask("POST", "/v1/jobs", encoded({"path": CHAT, "body": ASK} | fields)))


@given(st.binary(max_size=60) | _JSON.map(encoded))
@_REQUEST
def test_bodies(desk: Place, body: bytes) -> None:
    """Of any bytes, for a job and for a call whose client does not wait."""
    right(desk.ask("POST", "/v1/jobs", body))
    right(desk.ask("POST", CHAT, body, **held()))


@given(st.sampled_from(["", "/x", "/x/result", "/x/events", "/x/cancel", "/%00/result", "/x/deliveries"]), _QUERY)
@_REQUEST
def test_queries(desk: Place, path: str, query: str) -> None:
    """Of lists, waits, and ids that are none."""
    right(desk.ask("GET", f"/v1/jobs{path}?{query}", b""))


@given(
    st.sampled_from(["state", "limit", "after", "model", "tag", "batch", "wait"]),
    st.text(max_size=10) | st.integers().map(str),
)
@_REQUEST
def test_parameters(desk: Place, name: str, value: str) -> None:
    """Known ones with any value."""
    right(desk.ask("GET", f"/v1/jobs?{name}={value}", b""))


@given(
    st.sampled_from(["prefer", "idempotency-key", "connection", HOLD_HEADER.decode(), CALLER_HEADER.decode()]), _HEADER
)
@_REQUEST
def test_headers(desk: Place, name: str, value: str) -> None:
    """Of a call that is held."""
    right(desk.ask("POST", CHAT, ASK, **held() | {name: value}), 504)


def held() -> dict[str, str]:
    told = json.dumps({"strategy": "s", "backend": "", "deadline_ms": 0, "stream": False}).encode()
    return {HOLD_HEADER.decode(): base64.urlsafe_b64encode(told).decode(), "prefer": "respond-async"}


_CALL = b'{"path":"/v1/chat/completions"'
_ODD = [
    b'{"path":"\\ud800","body":{}}',
    b'{"path":' + b"[" * 5_000 + b"]" * 5_000 + b"}",
    b'{"body":' + b'{"a":' * 5_000 + b"1" + b"}" * 5_000 + b"}",
    b"9" * 5_000,
    b'{"deadline":1e999}',
    _CALL + b',"body":{"model":"m","messages":[]},"priority":' + b"9" * 400 + b"}",
    _CALL + b',"body":{"model":"m\\u0000","messages":[]}}',
    _CALL + b',"body":{"model":"m","messages":[],"stream_options":3}}',
    _CALL + b',"path":1,"body":{}}',
    *(b"{}", b"null", b"[]", b"1", b'""', b"\xef\xbb\xbf{}"),
]


@pytest.mark.parametrize("body", _ODD, ids=range(len(_ODD)))
def test_odd_bodies(desk: Place, body: bytes) -> None:
    """Refused, each of them."""
    assert desk.ask("POST", "/v1/jobs", body).status == 400
