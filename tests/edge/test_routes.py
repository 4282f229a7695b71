"""What a path asks for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.edge.routes import Match, Route, dialect_of, kept, match
from tidegate.model.call import Kind

PATIENT = (b"/v1/jobs", b"/v1/files", b"/v1/batches", b"/v1/messages/batches")
TABLE = [
    (b"/v1/chat/completions", Match(Route.CALL, Kind.CHAT)),
    (b"/v1/completions", Match(Route.CALL, Kind.COMPLETION)),
    (b"/v1/embeddings", Match(Route.CALL, Kind.EMBEDDING)),
    (b"/v1/models", Match(Route.MODELS)),
    (b"/v1/models/gpt-4o", Match(Route.MODEL)),
    (b"/v1/messages", Match(Route.CALL, Kind.MESSAGES)),
    (b"/v1/messages/count_tokens", Match(Route.CALL, Kind.COUNT)),
    (b"/v1/messages/batches", Match(Route.FORWARD)),
    (b"/v1/files", Match(Route.FORWARD)),
    (b"/v1/responses", Match(Route.CALL, Kind.RESPONSES)),
    (b"/v1/responses/resp_1", Match(Route.FORWARD)),
    (b"/v1/audio/speech", Match(Route.FORWARD)),
    (b"/v1/chat/completions/abc/messages", Match(Route.FORWARD)),
    (b"/v1/realtime", Match(Route.REFUSED)),
    (b"/v1/realtime/sessions", Match(Route.REFUSED)),
    (b"/v1/realtimes", Match(Route.FORWARD)),
    (b"/healthz", Match(Route.ALIVE)),
    (b"/health/liveness", Match(Route.ALIVE)),
    (b"/readyz", Match(Route.READY)),
    (b"/health/readiness", Match(Route.READY)),
    (b"/", Match(Route.UNKNOWN)),
    (b"", Match(Route.UNKNOWN)),
    (b"*", Match(Route.UNKNOWN)),
    (b"/v1", Match(Route.UNKNOWN)),
    (b"/v1/", Match(Route.UNKNOWN)),
    (b"/v2/chat/completions", Match(Route.UNKNOWN)),
    (b"/v1chat/completions", Match(Route.UNKNOWN)),
    (b"/chat/completions", Match(Route.UNKNOWN)),
    (b"/metrics", Match(Route.UNKNOWN)),
    (b"//v1/chat/completions", Match(Route.UNKNOWN)),
    (b"/v1/../admin", Match(Route.UNKNOWN)),
    (b"/v1/%2e%2e/admin", Match(Route.UNKNOWN)),
    (b"/v1/files/..", Match(Route.UNKNOWN)),
    (b"/v1/models/meta-llama%2FLlama-3.1-8B", Match(Route.MODEL)),
    (b"/v1/models/org/name:beta@1", Match(Route.MODEL)),
    (b"/v1/fine_tuning/checkpoints/ft%3Agpt-4o/permissions", Match(Route.FORWARD)),
]
# As some provider may read them: a call that is governed, what it keeps, or a way out of the base URL.
OTHERWISE = [
    b"/v1/%63hat/completions",
    b"/v1/chat/completion%73",
    b"/v1/%66iles",
    b"/v1/batche%53",
    b"/v1/%2566iles",
    b"/v1//batches",
    b"/v1//chat/completions",
    b"/v1/chat%2Fcompletions",
    b"/v1/messages%2fbatches",
    b"/v1/Chat/Completions",
    b"/v1/chat/completions/",
    b"/v1/embeddings//",
    b"/v1/messages/",
    b"/v1/MESSAGES/",
    b"/v1/Realtime/client_secrets",
    b"/v1/chat/completions;version=1",
    b"/v1/audio/..;/files",
    b"/v1/chat\\completions",
    b"/v1/models/..%2Ffiles",
    b"/v1/models/x%2F..%2f%2E%2e/files",
    b"/v1/models/x%5C..",
    b"/v1/models//files",
]


@pytest.mark.parametrize(("path", "expected"), TABLE, ids=[repr(path) for path, _ in TABLE])
def test_the_table(path: bytes, expected: Match) -> None:
    """Read, forwarded, the gate's own, refused with a reason, unknown."""
    assert match(path) == expected


@pytest.mark.parametrize("path", OTHERWISE, ids=repr)
def test_what_a_provider_may_read_as_another_path_is_unknown(path: bytes) -> None:
    """It would be forwarded under the gate's key without the rules of what it really is: budgets, `stored_objects`."""
    assert match(path) == Match(Route.UNKNOWN)


@given(st.binary(max_size=60))
def test_every_path_has_a_route(path: bytes) -> None:
    """Whatever it is; and nothing outside /v1/ is ever forwarded."""
    assert match(path).route in Route
    assert match(path).route is not Route.FORWARD or path.startswith(b"/v1/")


@pytest.mark.parametrize(
    ("path", "kind", "version", "dialect"),
    [
        (b"/v1/chat/completions", Kind.CHAT, b"2023-06-01", "openai"),
        (b"/v1/messages", Kind.MESSAGES, None, "anthropic"),
        (b"/v1/messages/batches", Kind.PASS, None, "anthropic"),
        (b"/v1/models", Kind.PASS, None, "openai"),
        (b"/v1/models", Kind.PASS, b"2023-06-01", "anthropic"),
        (b"/v1/files", Kind.PASS, b"2023-06-01", "anthropic"),
    ],
)
def test_whose_api_it_is(path: bytes, kind: Kind, version: bytes | None, dialect: str) -> None:
    """A path of one maker's is its own; on shared ones `anthropic-version` decides."""
    assert dialect_of(path, kind, version) == dialect


@pytest.mark.parametrize(
    ("method", "path", "is_kept"),
    [
        (b"POST", b"/v1/images/generations", False),
        (b"POST", b"/v1/audio/transcriptions", False),
        (b"POST", b"/v1/moderations", False),
        (b"POST", b"/v1/rerank", False),
        (b"POST", b"/v1/filesystem", False),
        (b"GET", b"/v1/files", True),
        (b"POST", b"/v1/files", True),
        (b"DELETE", b"/v1/files/file-1", True),
        (b"POST", b"/v1/messages/batches", True),
        (b"POST", b"/v1/threads/t/runs", True),
        (b"GET", b"/v1/responses/resp_1", True),
        (b"POST", b"/v1/responses/resp_1/cancel", True),
        (b"POST", b"/v1/Vector_Stores/vs_1/search", True),
        (b"POST", b"/v1/chatkit/sessions", True),
        (b"POST", b"/v1/audio/voices", True),
        (b"GET", b"/v1/whatever/comes", True),
        (b"DELETE", b"/v1/models/ft:mine", True),
    ],
)
def test_what_a_provider_keeps(method: bytes, path: bytes, *, is_kept: bool) -> None:
    """Whatever is not sent to be computed, and what is sent to be stored."""
    assert kept(method, path) is is_kept


@given(
    st.sampled_from(PATIENT), st.sampled_from([b"", b"/", b"/a", b"/a/b"]), st.sampled_from([b"", b"s", b"%2f", b"//"])
)
def test_where_there_is_a_desk(path: bytes, below: bytes, more: bytes) -> None:
    """It has its paths and what is below them, and nothing that is none of these; else they are forwarded."""
    whole = path + below + more
    found = match(whole, patient=True)
    plain = match(whole)
    own = found.route is Route.DESK
    assert own == (plain.route is Route.FORWARD and (whole == path or whole.startswith(path + b"/")))
    assert own or found == plain
    assert match(whole.replace(b"/v1/files", b"/v1/FILES"), patient=True) == found
