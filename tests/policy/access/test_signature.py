"""Signed requests: what is read, what it is compared with, and what is refused."""

import base64
import hashlib
import hmac
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.policy.access import signature
from tidegate.policy.access.signature import BadSignature, Signed, SigningKey

KEY = bytes(range(32))
NOW = 1_790_000_000
WALL = NOW * 1_000_000
SKEW = 300_000_000
BODY = b'{"model":"m"}'
PARAMETERS = (
    f'("@method" "@path" "@query" "content-digest");created={NOW};nonce="0123456789abcdef";keyid="acme-1";'
    'alg="hmac-sha256"'
)
DIGEST = signature.digest_of(BODY)


def read(parameters: str = PARAMETERS, mac: str = "s=:" + "A" * 43 + "=:", digest: bytes = DIGEST) -> Signed:
    return signature.read(f"s={parameters}".encode(), mac.encode(), digest)


def signed(
    method: bytes = b"POST", path: bytes = b"/v1/x", query: bytes = b"a=1", digest: bytes = DIGEST, key: bytes = KEY
) -> Signed:
    base = signature.base_of(method, path, query, digest, PARAMETERS.encode())
    return read(mac=f"s={SigningKey(key).sign(base).decode()}", digest=digest)


def test_a_mac_is_the_one_of_the_standard() -> None:
    """RFC 9421, B.2.5: its key, its base, its signature."""
    secret = base64.b64decode(
        "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ=="
    )
    base = (
        b'"date": Tue, 20 Apr 2021 02:07:55 GMT\n"@authority": example.com\n"content-type": application/json\n'
        b'"@signature-params": ("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret"'
    )
    assert SigningKey(secret).sign(base) == b":pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:"


def test_a_digest_is_the_one_of_the_standard() -> None:
    """RFC 9530, appendix B: of a JSON text that ends with a line feed."""
    assert signature.digest_of(b'{"hello": "world"}\n') == b"sha-256=:RK/0qy18MlBSVnWgjwz6lZEWjP/lF5HF9bvEF8FabDg=:"


def test_a_base_is_written_as_the_standard_says() -> None:
    """RFC 9421, 2.5: a line for each component; a query that is absent is its question mark alone."""
    assert signature.base_of(b"POST", b"/v1/x", b"", DIGEST, b"(...)") == (
        b'"@method": POST\n"@path": /v1/x\n"@query": ?\n"content-digest": ' + DIGEST + b'\n"@signature-params": (...)'
    )
    assert signature.base_of(b"GET", b"/v1/x", b"a=1", b"", b"(...)") == (
        b'"@method": GET\n"@path": /v1/x\n"@query": ?a=1\n"@signature-params": (...)'
    )


def test_the_four_parameters_come_in_any_order() -> None:
    """As libraries write them; they are signed as they came."""
    order = ';alg="hmac-sha256";keyid="acme-1";nonce="0123456789abcdef"'
    parameters = f'("@method" "@path" "@query" "content-digest"){order};created={NOW}'
    found = read(parameters)
    assert (found.keyid, found.nonce, found.created_us) == (b"acme-1", b"0123456789abcdef", WALL)
    assert found.parameters == parameters.encode()
    assert found.content_digest == DIGEST


def test_a_request_without_a_body_needs_no_digest() -> None:
    """What its header says then is not looked at."""
    found = read(PARAMETERS.replace(' "content-digest"', ""), digest=b"nonsense")
    assert found.content_digest == b""
    signature.check_body(b"", b"")
    with pytest.raises(BadSignature, match="must cover"):
        signature.check_body(b"", b"x")
    signature.check_body(signature.digest_of(b""), b"")


FOUR = f';created={NOW};nonce="0123456789abcdef";keyid="acme-1";alg="hmac-sha256"'


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ("", signature.MALFORMED),
        ("()", signature.MALFORMED),
        (f'("@method" "@path" "@query"  "content-digest"){FOUR}', signature.NOT_COVERED),
        (f'("@path" "@method" "@query" "content-digest"){FOUR}', signature.NOT_COVERED),
        (f'("@method" "@path" "content-digest"){FOUR}', signature.NOT_COVERED),
        (f'("@method" "@path" "@query" "content-digest" "date"){FOUR}', signature.NOT_COVERED),
        (f'("@method" "@path" "@query" "content-digest";req){FOUR}', signature.NOT_COVERED),
        (f"(){FOUR}", signature.NOT_COVERED),
        (f"{PARAMETERS};expires={NOW}", signature.MALFORMED),
        (f'{PARAMETERS};tag="x"', signature.MALFORMED),
        (f"{PARAMETERS};created={NOW}", signature.MALFORMED),
        (PARAMETERS.replace(";nonce", "; nonce"), signature.MALFORMED),
        (PARAMETERS.replace(";nonce", ";Nonce"), signature.MALFORMED),
        (PARAMETERS.replace('nonce="0123456789abcdef"', 'keyid="acme-2"'), signature.MALFORMED),
        (PARAMETERS.replace("0123456789abcdef", "0123456789abcde"), signature.MALFORMED),
        (PARAMETERS.replace("0123456789abcdef", "0123456789abcdef" * 9), signature.MALFORMED),
        (PARAMETERS.replace("0123456789abcdef", '0123456789\\"abcdef'), signature.MALFORMED),
        (PARAMETERS.replace("acme-1", "acme 1"), signature.MALFORMED),
        (PARAMETERS.replace("acme-1", ""), signature.MALFORMED),
        (PARAMETERS.replace(f"{NOW}", f"-{NOW}"), signature.MALFORMED),
        (PARAMETERS.replace(f"{NOW}", f"{NOW}.0"), signature.MALFORMED),
        (PARAMETERS.replace(f"{NOW}", f'"{NOW}"'), signature.MALFORMED),
        (PARAMETERS.replace("hmac-sha256", "hmac-sha512"), signature.WRONG_ALGORITHM),
        (PARAMETERS.replace("hmac-sha256", "ed25519"), signature.WRONG_ALGORITHM),
        (PARAMETERS.replace("hmac-sha256", "none"), signature.WRONG_ALGORITHM),
        (f"{PARAMETERS}, t={PARAMETERS}", signature.MALFORMED),
        (PARAMETERS + " " * 512, signature.MALFORMED),
        (PARAMETERS + "\n", signature.MALFORMED),
    ],
)
def test_what_is_not_of_the_profile_is_refused(parameters: str, message: str) -> None:
    """One signature, these components, these four parameters, written in one way."""
    with pytest.raises(BadSignature, match=re.escape(message)):
        read(parameters)


@pytest.mark.parametrize(
    ("mac", "message"),
    [
        ("", signature.BAD_MAC),
        ("s=::", signature.BAD_MAC),
        ("s=" + "A" * 43 + "=", signature.BAD_MAC),
        ("s=:" + "A" * 44 + "=:", signature.BAD_MAC),
        ("s=." + "A" * 43 + "=:", signature.BAD_MAC),
        ("s=:" + "A" * 43 + "=:, s=:" + "A" * 43 + "=:", signature.BAD_MAC),
        ("t=:" + "A" * 43 + "=:", signature.BAD_MAC),
        ("S=:" + "A" * 43 + "=:", signature.BAD_MAC),
    ],
)
def test_a_signature_is_one_of_32_bytes_with_the_same_label(mac: str, message: str) -> None:
    """Written as base64 with its padding."""
    with pytest.raises(BadSignature, match=re.escape(message)):
        read(mac=mac)


@pytest.mark.parametrize(
    "digest",
    [
        b"",
        b"sha-256=::",
        DIGEST + b", " + DIGEST,
        DIGEST + b";a=1",
        b"sha-512=" + DIGEST[8:],
        DIGEST.upper(),
        b"SHA-256=x",
    ],
)
def test_a_digest_is_one_of_sha256(digest: bytes) -> None:
    """And nothing beside it."""
    with pytest.raises(BadSignature, match="Content-Digest must be"):
        read(digest=digest)


def test_what_was_signed_is_let_in() -> None:
    """With the key that it was signed with."""
    signature.check_mac(signed(), b"POST", b"/v1/x", b"a=1", SigningKey(KEY))


@pytest.mark.parametrize(
    ("method", "path", "query", "key"),
    [
        (b"PUT", b"/v1/x", b"a=1", KEY),
        (b"post", b"/v1/x", b"a=1", KEY),
        (b"POST", b"/v1/y", b"a=1", KEY),
        (b"POST", b"/v1/%78", b"a=1", KEY),
        (b"POST", b"/v1/x", b"a=2", KEY),
        (b"POST", b"/v1/x", b"", KEY),
        (b"POST", b"/v1/x", b"a=1", KEY[::-1]),
        (b"POST", b"/v1/x", b"a=1", None),
        (b'POST\n"@path": /v1/x', b"/v1/x", b"a=1", KEY),
    ],
)
def test_what_is_other_than_it_was_signed_is_refused(
    method: bytes, path: bytes, query: bytes, key: bytes | None
) -> None:
    """Method, path, query and key; and an unknown key is told the same words."""
    with pytest.raises(BadSignature, match=re.escape(signature.WRONG)):
        signature.check_mac(signed(), method, path, query, None if key is None else SigningKey(key))


@pytest.mark.parametrize("what", ["created", "nonce", "keyid", "order", "digest"])
def test_what_a_signature_says_of_itself_is_signed_too(what: str) -> None:
    """None of its parameters can be exchanged, nor the digest."""
    mac = signed().mac.decode()
    parameters, digest = PARAMETERS, DIGEST
    if what == "created":
        parameters = PARAMETERS.replace(f"{NOW}", f"{NOW + 1}")
    elif what == "nonce":
        parameters = PARAMETERS.replace("0123456789abcdef", "0123456789abcdeg")
    elif what == "keyid":
        parameters = PARAMETERS.replace("acme-1", "acme-2")
    elif what == "order":
        parameters = PARAMETERS.replace(';alg="hmac-sha256"', "").replace(")", ');alg="hmac-sha256"')
    else:
        digest = signature.digest_of(b"another")
    with pytest.raises(BadSignature, match=re.escape(signature.WRONG)):
        signature.check_mac(read(parameters, f"s={mac}", digest), b"POST", b"/v1/x", b"a=1", SigningKey(KEY))


def test_a_key_of_zeros_is_nobodys() -> None:
    """What unknown keys are compared by lets nobody in."""
    forged = signed(key=bytes(32))
    with pytest.raises(BadSignature, match=re.escape(signature.WRONG)):
        signature.check_mac(forged, b"POST", b"/v1/x", b"a=1", None)


def test_another_body_is_refused() -> None:
    """Its digest was signed."""
    signature.check_body(DIGEST, BODY)
    with pytest.raises(BadSignature, match="not the one"):
        signature.check_body(DIGEST, BODY + b" ")


@pytest.mark.parametrize(
    ("off", "way"), [(SKEW + 1, "behind"), (-SKEW - 1, "ahead of"), (SKEW, ""), (-SKEW, ""), (0, "")]
)
def test_clocks_may_differ_both_ways(off: int, way: str) -> None:
    """Beyond that it says by how much, and in which direction."""
    if not way:
        signature.check_clock(read(), WALL + off, SKEW)
        return
    with pytest.raises(BadSignature, match=rf"300 s {way} this gate's clock; 300 s are allowed"):
        signature.check_clock(read(), WALL + off, SKEW)


@given(st.binary(max_size=80), st.binary(max_size=80), st.binary(max_size=80))
def test_reading_raises_nothing_else(signature_input: bytes, mac: bytes, digest: bytes) -> None:
    """Whatever the headers hold."""
    with pytest.raises(BadSignature):
        signature.read(signature_input, mac, digest)


CHARACTERS = st.sampled_from(list('@";=:()\\,ab1 \t\x00é'))


@given(st.integers(0, len(PARAMETERS)), st.integers(0, 3), st.text(CHARACTERS, max_size=3))
def test_no_change_of_what_was_signed_is_let_in(at: int, cut: int, put: str) -> None:
    """Cut some characters out of the parameters and put others in: only what is the same as before is right."""
    changed = PARAMETERS[:at] + put + PARAMETERS[at + cut :]
    mac = signed().mac.decode()
    try:
        found = signature.read(f"s={changed}".encode(), f"s={mac}".encode(), DIGEST)
        signature.check_mac(found, b"POST", b"/v1/x", b"a=1", SigningKey(KEY))
    except BadSignature:
        assert changed != PARAMETERS
    else:
        assert changed == PARAMETERS


@given(st.binary(max_size=200), st.binary(min_size=1, max_size=64))
def test_a_mac_is_hmac_sha256(base: bytes, key: bytes) -> None:
    """As the standard library computes it."""
    expected = base64.b64encode(hmac.new(key, base, hashlib.sha256).digest())
    assert SigningKey(key).sign(base) == b":" + expected + b":"


def test_a_mark_is_of_key_and_nonce() -> None:
    """The same nonce of another key is another one."""
    one, other = read(), read(PARAMETERS.replace("acme-1", "acme-2"))
    assert signature.mark_of(one) == signature.mark_of(read())
    assert len(signature.mark_of(one)) == 16
    assert signature.mark_of(one) != signature.mark_of(other)
