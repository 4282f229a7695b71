"""What applications sign with: it is what the gate reads."""

import subprocess
import sys

import httpx2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.client import Signer
from tidegate.model.keys import signing_key_of
from tidegate.policy.access import signature

NOW = 1_790_000_000
KEY = "sk-of-an-application"


def signer() -> Signer:
    return Signer("acme-1", KEY, clock=lambda: NOW + 0.9, nonce=lambda: "0123456789abcdef")


def judge(headers: dict[str, str], method: str, path: str, query: str, body: bytes) -> None:
    """As the gate does."""
    lines = {name.lower(): value.encode() for name, value in headers.items()}
    signed = signature.read(lines["signature-input"], lines["signature"], lines["content-digest"])
    signature.check_clock(signed, NOW * 1_000_000, 1_000_000)
    key = signature.SigningKey(signing_key_of(KEY))
    signature.check_mac(signed, method.encode(), path.encode(), query.encode(), key)
    signature.check_body(signed.content_digest, body)
    assert signed.keyid == b"acme-1"


PRINTABLE = st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='?#"'), max_size=30)


@given(st.sampled_from(["GET", "POST", "DELETE"]), PRINTABLE, PRINTABLE, st.binary(max_size=100))
def test_what_is_signed_is_let_in(method: str, path: str, query: str, body: bytes) -> None:
    """Whatever the request."""
    headers = signer().headers(method, f"/{path}?{query}" if query else f"/{path}", body)
    judge(headers, method, f"/{path}", query, body)


def test_an_empty_path_is_a_slash() -> None:
    """As it is sent."""
    judge(signer().headers("GET", "", b""), "GET", "/", "", b"")


def test_every_attempt_has_a_nonce_of_its_own() -> None:
    """And it is long enough."""
    made = [Signer("acme-1", KEY).headers("GET", "/")["signature-input"] for _ in range(50)]
    assert len({text.partition("nonce=")[2][:26] for text in made}) == 50


def test_the_key_is_shown_nowhere() -> None:
    """Neither it nor what is derived from it stands in the signer's own words."""
    assert repr(signer()) == "Signer('acme-1')"
    assert KEY not in str(signer().headers("GET", "/"))


@pytest.mark.parametrize(("keyid", "key"), [("", KEY), ("acme-1", "")])
def test_name_and_key_are_needed(keyid: str, key: str) -> None:
    """An empty one comes of an unset variable."""
    with pytest.raises(ValueError, match="is empty"):
        Signer(keyid, key)


def test_a_request_of_httpx_is_signed_and_its_key_left_out() -> None:
    """As it is sent: with the escaped path, and the key that an SDK would show removed."""
    request = httpx2.Request(
        "POST", "http://gate/v1/a b?x=ü", json={"a": 1}, headers={"Authorization": "Bearer x", "X-Api-Key": "x"}
    )
    signed = signer()(request)
    assert "authorization" not in signed.headers
    assert "x-api-key" not in signed.headers
    judge(dict(signed.headers), "POST", "/v1/a%20b", "x=%C3%BC", request.content)


def test_a_body_in_parts_is_read_first() -> None:
    """An upload, or one that is made piece by piece."""
    request = httpx2.Request("POST", "http://gate/v1/files", files={"file": b"abc"})
    judge(dict(signer()(request).headers), "POST", "/v1/files", "", request.read())
    request = httpx2.Request("POST", "http://gate/v1/files", content=iter([b"a", b"bc"]))
    judge(dict(signer()(request).headers), "POST", "/v1/files", "", b"abc")


async def test_a_body_that_only_a_loop_can_read_is_refused() -> None:
    """It says what to do."""

    async def parts():
        yield b"a"

    with pytest.raises(TypeError, match="whole body"):
        signer()(httpx2.Request("POST", "http://gate/", content=parts()))


def test_it_needs_the_standard_library_only() -> None:
    """Nothing of the gate's dependencies is imported."""
    code = "import sys; import tidegate.client; print(*sorted(sys.modules))"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    third_party = {"msgspec", "httptools", "uvloop", "pydantic", "httpx2", "aiohttp", "asyncio", "starlette"}
    assert third_party.isdisjoint(run.stdout.split())
