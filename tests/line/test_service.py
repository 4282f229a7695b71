"""How calls are put to a provider: at which path, with which headers, in which words."""

from urllib.parse import unquote

import msgspec
import pytest

from tests.line.scenes import PROFILE
from tidegate.line.service import Service, service, ways
from tidegate.model.call import Call, Kind, Shape
from tidegate.model.snapshot import Profile, Provider
from tidegate.testing import ScriptedTransport

CLAUDE = msgspec.structs.replace(
    PROFILE, name="anthropic", dialect="anthropic", auth_header="x-api-key", auth_prefix="",
    adds=(("anthropic-version", "2023-06-01"),),
)  # fmt: skip


def service_of(profile: Profile = PROFILE) -> Service:
    return service(Provider("p", "https://p.test/v1", profile, ()), ScriptedTransport(), "d")


def call_of(kind: Kind = Kind.CHAT, path: bytes = b"/chat/completions", forward: bytes = b"") -> Call:
    return Call(1, 0, 1, "", kind, b"POST", path, forward, b"{}", Shape("a"))


def head(profile: Profile, call: Call, model: str = "a") -> bytes:
    one = service_of(profile)
    return one.head(call, one.ways.get(call.kind), model, b"k")


def test_what_each_dialect_serves() -> None:
    """Its own kinds as they are, the other's by translation, and nothing that it does not know."""
    openai, claude = ways(PROFILE), ways(CLAUDE)
    assert {kind for kind, way in openai.items() if way.crossing is None} == {
        Kind.CHAT, Kind.COMPLETION, Kind.EMBEDDING,
    }  # fmt: skip
    assert {kind for kind, way in claude.items() if way.crossing is None} == {Kind.MESSAGES, Kind.COUNT}
    assert Kind.COUNT not in openai
    assert Kind.EMBEDDING not in claude


def test_the_clients_own_path_where_nothing_changes() -> None:
    """With its query."""
    assert head(PROFILE, call_of(path=b"/chat/completions?a=b")).startswith(b"POST /v1/chat/completions?a=b HTTP/1.1")


def test_a_profiles_path_holds_the_model() -> None:
    """As Azure wants it: the deployment is in the path, the version in the query."""
    azure = msgspec.structs.replace(
        PROFILE, paths={"chat": "/deployments/{model}/chat/completions"}, query="api-version=2024-10-21",
        auth_header="api-key", auth_prefix="",
    )  # fmt: skip
    told = head(azure, call_of(), "gpt 4o/x")
    assert told.startswith(b"POST /v1/deployments/gpt%204o%2Fx/chat/completions?api-version=2024-10-21 HTTP/1.1\r\n")
    assert b"\r\napi-key: k\r\n" in told


@pytest.mark.parametrize("name", ["%2e%2e", "%2E", "..a", "a?b", "a#b", "..%2f"])
def test_a_name_stays_one_segment_of_the_path(name: str) -> None:
    """Whatever a client calls a model: what reads as a step elsewhere is refused when its body is read."""
    path = head(msgspec.structs.replace(PROFILE, paths={"chat": "/d/{model}/chat"}), call_of(), name).split(b" ")[1]
    assert path.startswith(b"/v1/d/")
    assert path.endswith(b"/chat")
    assert unquote(path.split(b"/")[3].decode()) == name
    assert path.count(b"/") == 4


@pytest.mark.parametrize(
    ("sent", "told"),
    [
        (b"", b"anthropic-version: 2023-06-01\r\n"),
        (b"x-a: b\r\n", b"anthropic-version: 2023-06-01\r\n"),
        (b"x-a: b\r\nanthropic-version: 2025-01-01\r\n", b"anthropic-version: 2025-01-01\r\n"),
        (b"anthropic-version: 2025-01-01\r\n", b"anthropic-version: 2025-01-01\r\n"),
    ],
)
def test_what_a_profile_adds(sent: bytes, told: bytes) -> None:
    """Only where the client did not say it."""
    lines = head(CLAUDE, call_of(Kind.MESSAGES, b"/messages", sent))
    assert told in lines
    assert lines.count(b"anthropic-version") == 1


def test_a_call_that_is_forwarded_keeps_its_path() -> None:
    """Whatever it is."""
    assert head(CLAUDE, call_of(Kind.PASS, b"/files/1")).startswith(b"POST /v1/files/1 HTTP/1.1\r\n")


@pytest.mark.parametrize(
    ("path", "query", "told"),
    [
        (b"/files", "api-version=1", b"/files?api-version=1"),
        (b"/files?", "api-version=1", b"/files?api-version=1"),
        (b"/files?limit=2", "api-version=1", b"/files?limit=2&api-version=1"),
        (b"/files?api-version=2&limit=2", "api-version=1", b"/files?api-version=2&limit=2"),
        (b"/files?a=2", "a=1&b=1", b"/files?a=2&b=1"),
        (b"/files?a=2", "", b"/files?a=2"),
    ],
)
def test_a_call_that_is_forwarded_has_the_profiles_query(path: bytes, query: str, told: bytes) -> None:
    """Azure answers nothing without its version; what the client says itself stays."""
    profile = msgspec.structs.replace(PROFILE, query=query)
    assert head(profile, call_of(Kind.PASS, path)).split(b" ")[1] == b"/v1" + told
