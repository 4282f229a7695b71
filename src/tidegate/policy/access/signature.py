"""Signed requests: RFC 9421 (HTTP Message Signatures) with `hmac-sha256`, over RFC 9530 (Content-Digest).

One profile of it, read strictly: one signature over "@method", "@path", "@query" and "content-digest", with created,
nonce, keyid and alg. A request without a body may leave "content-digest" out. What a signer must serialise in one way
only (RFC 8941, 4.1) is accepted in that way only, so that nothing can be read in two. docs/signing.md has the vectors.

Nothing here depends on a secret but `mac`, and what comes after it is compared in constant time. Pure. O(bytes).
"""

import re
from binascii import b2a_base64
from hashlib import blake2b, sha256
from hmac import compare_digest
from typing import TYPE_CHECKING, Final

from tidegate.units import SECOND_US

if TYPE_CHECKING:
    from _hashlib import HASH

ALGORITHM: Final = b"hmac-sha256"
LONGEST: Final = 512  # bytes of a Signature-Input that is worth reading

WITH_BODY: Final = b'("@method" "@path" "@query" "content-digest")'
WITHOUT_BODY: Final = b'("@method" "@path" "@query")'

_LABEL: Final = rb"[a-z*][a-z0-9_.*-]{0,31}"
_BINARY: Final = 46  # bytes of `:BASE64:` of 32 bytes
_DIGEST: Final = b"sha-256="
_COLON: Final = ord(":")
_BLOCK: Final = 64  # bytes of SHA-256
_INNER: Final = bytes([byte ^ 0x36 for byte in range(256)])
_OUTER: Final = bytes([byte ^ 0x5C for byte in range(256)])
_CREATED: Final = rb"created=([0-9]{1,12})"
_NONCE: Final = rb'nonce="([A-Za-z0-9+/=_.~-]{16,128})"'
_KEYID: Final = rb'keyid="([A-Za-z0-9._:@-]{1,128})"'
_INPUT: Final = re.compile(
    rb"(" + _LABEL + rb")=((\([^()]*\))(?:;(?:" + _CREATED + rb"|" + _NONCE + rb"|" + _KEYID + rb"|"
    rb'alg="([a-z0-9-]{1,32})")){4})'
)
# As most write it, at half the cost: all that it finds, the other finds too.
_USUAL: Final = re.compile(
    rb"(" + _LABEL + rb")=(" + re.escape(WITH_BODY) + rb";" + _CREATED + rb";" + _NONCE + rb";" + _KEYID + rb";"
    rb'alg="hmac-sha256")'
)

NOT_ONE: Final = "Send one signature: one Signature-Input, one Signature with the same label, one Content-Digest."
MALFORMED: Final = (
    'Signature-Input must be LABEL=("@method" "@path" "@query" "content-digest");created=SECONDS;nonce="16 to 128 '
    'characters";keyid="NAME OF THE KEY";alg="hmac-sha256", without spaces between, and nothing else.'
)
NOT_COVERED: Final = (
    'A signature covers "@method" "@path" "@query" "content-digest", in this order; "content-digest" may be left out '
    "where there is no body."
)
WRONG_ALGORITHM: Final = 'The only signature algorithm here is alg="hmac-sha256".'
BAD_DIGEST: Final = "Content-Digest must be sha-256=:BASE64:, of the body as it is sent, and nothing else."
BAD_MAC: Final = "Signature must be LABEL=:BASE64:, of 32 bytes, with the label of Signature-Input, and nothing else."
WRONG: Final = (
    "The signature does not fit this request, or its keyid is no key that takes signatures here. Sign method, path, "
    "query and Content-Digest as they are sent, with the key's signing key."
)
ALTERED: Final = "The body is not the one that Content-Digest was made of."
UNCOVERED_BODY: Final = 'This request has a body: its signature must cover "content-digest".'


class BadSignature(Exception):
    """A signature that lets nobody in. The message says what to change, and nothing of who has which key."""


class Signed:
    """What a request's signature says of itself; nothing of it is proven."""

    __slots__ = ("content_digest", "created_us", "keyid", "mac", "nonce", "parameters")

    def __init__(
        self, parameters: bytes, created_us: int, nonce: bytes, keyid: bytes, mac: bytes, content_digest: bytes
    ) -> None:
        self.parameters = parameters  # the covered components and the parameters, as they were sent
        self.created_us = created_us
        self.nonce = nonce
        self.keyid = keyid
        self.mac = mac  # as `:BASE64:`
        self.content_digest = content_digest  # the header that is covered; b"" = it is not, so there is no body


class SigningKey:
    """HMAC-SHA256 with one key, whose two blocks are hashed already (RFC 2104, 4). It keeps no key."""

    __slots__ = ("_inner", "_outer")

    def __init__(self, key: bytes) -> None:
        """`key` has at most 64 bytes."""
        pad = key.ljust(_BLOCK, b"\0")
        self._inner: HASH = sha256(pad.translate(_INNER))
        self._outer: HASH = sha256(pad.translate(_OUTER))

    def sign(self, base: bytes) -> bytes:
        """The signature of a base, as `:BASE64:`."""
        inner = self._inner.copy()
        inner.update(base)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return b":%b:" % b2a_base64(outer.digest(), newline=False)


NOBODY: Final = SigningKey(bytes(32))  # what the signatures of unknown keys are compared by, so that they cost as much


def read(signature_input: bytes, signature: bytes, content_digest: bytes) -> Signed:
    """The signature that these three headers hold (b"" = there is none). Raises `BadSignature`."""
    if len(signature_input) > LONGEST:
        raise BadSignature(MALFORMED)
    usual = _USUAL.fullmatch(signature_input)
    if usual is not None:
        label, parameters, created, nonce, keyid = usual.groups()
        covered = WITH_BODY
    else:
        label, parameters, covered, created, nonce, keyid = _in_any_order(signature_input)
    if covered == WITHOUT_BODY:
        content_digest = b""
    elif not _is_binary(content_digest, _DIGEST):
        raise BadSignature(BAD_DIGEST)
    name: bytes = label + b"="
    if not _is_binary(signature, name):
        raise BadSignature(BAD_MAC)
    return Signed(parameters, int(created) * SECOND_US, nonce, keyid, signature[len(name) :], content_digest)


def _in_any_order(signature_input: bytes) -> tuple[bytes, bytes, bytes, bytes, bytes, bytes]:
    """Label, parameters, components, created, nonce and keyid."""
    found = _INPUT.fullmatch(signature_input)
    if found is None:
        raise BadSignature(MALFORMED)
    label, parameters, covered, created, nonce, keyid, algorithm = found.groups()
    if created is None or nonce is None or keyid is None or algorithm is None:
        raise BadSignature(MALFORMED)  # one of the four stands there twice
    if algorithm != ALGORITHM:
        raise BadSignature(WRONG_ALGORITHM)
    if covered not in (WITH_BODY, WITHOUT_BODY):
        raise BadSignature(NOT_COVERED)
    return label, parameters, covered, created, nonce, keyid


def _is_binary(text: bytes, name: bytes) -> bool:
    """`name` and 32 bytes as `:BASE64:`, by their length: both are compared with the one right text later."""
    length = len(name)
    return len(text) == length + _BINARY and text[:length] == name and text[length] == text[-1] == _COLON


def check_clock(signed: Signed, wall: int, skew_us: int) -> None:
    """Raises `BadSignature` when it was made longer ago than clocks may differ, or is of the future.

    It is judged before the key is looked at: so it is told to everybody alike. `wall`: microseconds since 1970.
    """
    off = wall - signed.created_us
    if -skew_us <= off <= skew_us:
        return
    way = "behind" if off > 0 else "ahead of"
    raise BadSignature(
        f"The signature was created {abs(off) // SECOND_US} s {way} this gate's clock; {skew_us // SECOND_US} s are "
        "allowed. Sign each attempt anew, and set the client's clock."
    )


def base_of(method: bytes, path: bytes, query: bytes, content_digest: bytes, parameters: bytes) -> bytes:
    """The signature base (RFC 9421, 2.5). `query` is without its `?`; `content_digest` b"" is not covered."""
    if content_digest:
        return (
            b'"@method": %b\n"@path": %b\n"@query": ?%b\n"content-digest": %b\n"@signature-params": %b'
        ) % (method, path, query, content_digest, parameters)  # fmt: skip
    return b'"@method": %b\n"@path": %b\n"@query": ?%b\n"@signature-params": %b' % (method, path, query, parameters)


def digest_of(body: bytes) -> bytes:
    """A body's `Content-Digest`."""
    return b"sha-256=:%b:" % b2a_base64(sha256(body).digest(), newline=False)


def check_mac(signed: Signed, method: bytes, path: bytes, query: bytes, key: SigningKey | None) -> None:
    """Raises `BadSignature` when it was not made with this key (None: nobody has it) for this request.

    The same is done, and said, for a wrong signature and for an unknown key.
    """
    base = base_of(method, path, query, signed.content_digest, signed.parameters)
    fits = compare_digest((NOBODY if key is None else key).sign(base), signed.mac)
    if not fits or key is None:
        raise BadSignature(WRONG)


def check_body(content_digest: bytes, body: bytes) -> None:
    """Raises `BadSignature` when this is not the body of a request whose signature covers `content_digest`."""
    if not content_digest:
        if body:
            raise BadSignature(UNCOVERED_BODY)
    elif digest_of(body) != content_digest:
        raise BadSignature(ALTERED)


def mark_of(signed: Signed) -> bytes:
    """What a nonce is remembered by, 16 bytes: nonces of different keys are different."""
    return blake2b(b"%b %b" % (signed.keyid, signed.nonce), digest_size=16).digest()
