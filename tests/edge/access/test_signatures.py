"""Signed requests at the gateway: who signed is let in once, with the body that was signed."""

import asyncio
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edge.shared import Here
from tests.edge.test_gateway import BODY, CHAT, Wire
from tests.line.scenes import play_of
from tidegate.client import Signer
from tidegate.edge.access.door import Door
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.proofs import Proofs
from tidegate.edge.access.signatures import Signatures
from tidegate.edge.gateway import Gateway, Runtime
from tidegate.journal.nonces import NonceFile
from tidegate.model.keys import digest_of, signing_key_of
from tidegate.model.snapshot import AddressLimits, ClientKey, SigningSettings, Snapshot
from tidegate.policy.access import signature
from tidegate.policy.access.nonces import Nonces
from tidegate.testing.clock import SECOND, settle
from tidegate.wire.exchange import BUFFER, STREAM, Exchange, Likeness

SKEW = 300 * SECOND
KEYS = (
    ClientKey("required", digest_of("k-required"), signing="required", signing_key=signing_key_of("k-required")),
    ClientKey("optional", digest_of("k-optional"), signing="optional", signing_key=signing_key_of("k-optional")),
    ClientKey("plain", digest_of("k-plain")),
)
PLAIN = json.dumps(BODY).encode()
Lines = list[tuple[bytes, bytes]]


class Post:
    """A gateway that takes signatures. Its file of nonces is real."""

    def __init__(self, directory: Path, max_nonces: int = 100, play: Any = None, failures: int = 0) -> None:
        self.play = play or play_of()
        self.clock = self.play.clock
        settings, wall = SigningSettings(SKEW, max_nonces), self.clock.wall()
        self.file = NonceFile(directory, wall, b"b" * 16)
        self.nonces = Nonces(SKEW, max_nonces, wall, self.file.floor_us)
        for used in self.file.recalled:
            self.nonces.recall(*used)
        door = Door(AddressLimits(failures=failures), Signatures(settings, self.nonces, self.file), b"secret")
        runtime = Runtime(self.play.book, Clients(Snapshot(version=1, providers=(), clients=KEYS)), door)
        self.gateway = Gateway(runtime, self.play.line, self.clock, self.play.recorder, self.play.recorder)
        self.intake: object = None

    def sign(self, keyid: str = "required", key: str = "", off: int = 0, **what: Any) -> Lines:
        """The three headers, as the client makes them; `off` microseconds from now."""
        seconds = (self.clock.wall() + off) / SECOND
        signer = Signer(keyid, key or f"k-{keyid}", clock=lambda: seconds)
        made = signer.headers(what.get("method", "POST"), what.get("target", CHAT.decode()), what.get("body", PLAIN))
        return [(name.encode(), value.encode()) for name, value in made.items()]

    def send(
        self,
        lines: Lines,
        body: bytes = PLAIN,
        target: bytes = CHAT,
        method: bytes = b"POST",
        alike: Likeness | None = None,
    ) -> Any:
        fields: dict[bytes, bytes] = {}
        for name, value in lines:
            fields.setdefault(name, value)
        path, _, query = target.partition(b"?")
        wire: Any = Wire()
        lines = [*lines, (b"content-length", b"%d" % len(body))]
        exchange = Exchange(wire, method, target, path, query, lines, fields, "192.0.2.1", alike)
        self.intake = self.gateway.head(exchange)
        if self.intake is BUFFER:
            exchange.body = body
        if not exchange.replied:
            self.gateway.call(exchange)
        return wire


@pytest.fixture
async def post(tmp_path: Path) -> Post:
    return Post(tmp_path)


def word(wire: Any) -> str:
    """Let in, or why not."""
    return "in" if wire.status == 0 else f"{wire.status} {wire.error['code']}"


async def test_who_signs_is_let_in_without_a_key(post: Post) -> None:
    """As the client of the key that signed; the provider sees nothing of the signature."""
    assert word(post.send(post.sign())) == "in"
    await settle()
    head = post.play.sent("openai")[-1].head
    assert not any(name in head for name in (b"signature", b"content-digest", b"required"))


async def test_who_must_sign_is_not_let_in_by_the_key_alone(post: Post) -> None:
    """It is told so; where signing is optional either will do, and elsewhere the key."""
    told = post.send([(b"authorization", b"Bearer k-required")])
    assert word(told) == "401 invalid_signature"
    assert "the key alone is not enough" in told.error["message"]
    assert word(post.send([(b"authorization", b"Bearer k-optional")])) == "in"
    assert word(post.send(post.sign("optional"))) == "in"
    assert word(post.send([(b"authorization", b"Bearer k-plain")])) == "in"


async def test_a_signature_decides_whatever_key_is_shown(post: Post) -> None:
    """SDKs always send a key; one that takes no signatures is enough, whatever some proxy has signed."""
    assert word(post.send([*post.sign(), (b"authorization", b"Bearer unused")])) == "in"
    wrong = post.sign("required", "another key")
    assert word(post.send([*wrong, (b"authorization", b"Bearer k-required")])) == "401 invalid_signature"
    assert word(post.send([*wrong, (b"authorization", b"Bearer k-optional")])) == "401 invalid_signature"
    assert word(post.send([*wrong, (b"authorization", b"Bearer k-plain")])) == "in"


async def test_a_key_that_takes_no_signatures_signs_nothing(post: Post) -> None:
    """Nor does one that nobody has: both are told what a wrong signature is told."""
    texts = {post.send(post.sign(*who)).error["message"] for who in (("plain",), ("nobody",), ("required", "wrong"))}
    assert texts == {signature.WRONG}


@pytest.mark.parametrize("alike", [True, False])
async def test_a_replay_is_refused(post: Post, alike: bool) -> None:
    """Also on the same connection, where an equal head is not looked at again."""
    lines, likeness = post.sign(), Likeness() if alike else None
    assert word(post.send(lines, alike=likeness)) == "in"
    replayed = post.send(lines, alike=likeness)
    assert word(replayed) == "401 invalid_signature"
    assert "nonce has been used" in replayed.error["message"]
    assert word(post.send(post.sign(), alike=likeness)) == "in"


async def test_a_replay_is_refused_after_a_kill(post: Post, tmp_path: Path) -> None:
    """The next worker knows what this one let in, though nobody told it to stop."""
    lines, fresh = post.sign(), post.sign()
    post.send(lines)
    again = Post(tmp_path, play=post.play)
    assert word(again.send(lines)) == "401 invalid_signature"
    assert word(again.send(fresh)) == "in"


async def test_where_keys_come_from_another_worker_what_was_signed_before_is_refused(post: Post) -> None:
    """It may have let somebody in there; what is signed from then on is good."""
    before, door = post.sign(), post.gateway.runtime.door
    assert door is not None
    door.distrust(post.clock.wall())
    assert word(post.send(before)) == "401 invalid_signature"
    await post.clock.advance(SECOND)
    assert post.send(post.sign()).status == 0


async def test_what_was_signed_before_an_unknown_past_is_refused(post: Post, tmp_path: Path) -> None:
    """Where the file is gone nobody knows what was used."""
    lines, fresh = post.sign(off=-SECOND), post.sign()
    again = Post(tmp_path / "..", play=post.play)
    told = again.send(lines)
    assert word(told) == "401 invalid_signature"
    assert "before this worker took" in told.error["message"]
    assert word(again.send(fresh)) == "in"


async def test_a_nonce_is_used_by_a_right_signature_only(post: Post) -> None:
    """Nobody can use up somebody else's."""
    lines = post.sign()
    altered = [(name, value.replace(b"=:", b"=:A", 1) if name == b"signature" else value) for name, value in lines]
    forged = [(name, post.sign("required", "x")[2][1] if name == b"signature" else value) for name, value in lines]
    for wrong in (altered, forged):
        assert word(post.send(wrong)) == "401 invalid_signature"
    assert word(post.send(lines, target=CHAT + b"?a=1")) == "401 invalid_signature"
    assert len(post.nonces) == 0
    assert word(post.send(lines)) == "in"


def _put(lines: Lines, name: bytes, change: Callable[[bytes], bytes]) -> Lines:
    """The same headers, with one changed."""
    return [(key, change(value) if key == name else value) for key, value in lines]


INPUT, MAC, DIGEST = b"signature-input", b"signature", b"content-digest"
OTHER_REQUESTS: dict[str, dict[str, Any]] = {
    "method": {"method": b"PUT"},
    "path": {"target": b"/v1/files/a"},
    "query": {"target": b"/v1/files?x=1"},
    "body": {"body": PLAIN.replace(b"hello", b"hallo")},
    "cut body": {"body": PLAIN[:-1]},
    "no body": {"body": b""},
}
OTHER_HEADERS: dict[str, Callable[[Lines], Lines]] = {
    "digest": lambda lines: _put(lines, DIGEST, lambda _: signature.digest_of(b"x")),
    "nonce": lambda lines: _put(lines, INPUT, lambda value: value.replace(b'nonce="', b'nonce="x')),
    "created": lambda lines: _put(lines, INPUT, lambda value: value.replace(b"created=", b"created=0")),
    "keyid": lambda lines: _put(lines, INPUT, lambda value: value.replace(b"required", b"optional")),
    "algorithm": lambda lines: _put(lines, INPUT, lambda value: value.replace(b"hmac-sha256", b"none")),
    "no digest": lambda lines: [line for line in lines if line[0] != DIGEST],
    "no signature": lambda lines: [line for line in lines if line[0] != MAC],
    "no input": lambda lines: [line for line in lines if line[0] != INPUT],
    "two inputs": lambda lines: [*lines, *[line for line in lines if line[0] == INPUT]],
    "two signatures": lambda lines: [*lines, (MAC, b"x=:AAAA:")],
    "two digests": lambda lines: [*lines, (DIGEST, b"sha-256=:AAAA:")],
    "many inputs": lambda lines: _put(lines, INPUT, lambda value: b", ".join([value] * 50)),
    "many signatures": lambda lines: _put(lines, MAC, lambda value: b", ".join([value] * 50)),
    "huge input": lambda lines: _put(lines, INPUT, lambda value: value + b" " * 60_000),
    "injected line": lambda lines: _put(
        lines, INPUT, lambda value: value.replace(b'keyid="', b'keyid="x\n"@path": /a')
    ),
}


@pytest.mark.parametrize("what", OTHER_REQUESTS)
async def test_another_request_than_was_signed_is_refused(post: Post, what: str) -> None:
    """Each component; and nothing of it reaches a provider."""
    lines = post.sign(target="/v1/files")
    request: dict[str, Any] = {"target": b"/v1/files", **OTHER_REQUESTS[what]}
    assert word(post.send(lines, **request)) == "401 invalid_signature"
    await settle()
    assert not post.play.sent("openai")


@pytest.mark.parametrize("what", OTHER_HEADERS)
async def test_other_headers_than_were_signed_are_refused(post: Post, what: str) -> None:
    """Each parameter, each header, none and several; and nothing of it reaches a provider."""
    told = post.send(OTHER_HEADERS[what](post.sign()))
    assert word(told) == ("401 invalid_api_key" if what == "no input" else "401 invalid_signature")
    await settle()
    assert not post.play.sent("openai")


@pytest.mark.parametrize(("off", "let_in"), [(-301, False), (-300, True), (0, True), (300, True), (302, False)])
async def test_late_and_early_are_refused(tmp_path: Path, off: int, let_in: bool) -> None:
    """Both ways as far as clocks may differ, and it says how far they do."""
    play = play_of()
    Post(tmp_path, play=play).file.close()
    await play.clock.advance(400 * SECOND)  # so that the start is no bound
    post = Post(tmp_path, play=play)
    told = post.send(post.sign(off=off * SECOND))
    assert (word(told) == "in") is let_in
    if not let_in:
        assert "300 s are allowed" in told.error["message"]


async def test_a_request_without_a_body_covers_none_or_the_empty_one(post: Post) -> None:
    """Both are let in; a body that is not covered is not."""
    lines = post.sign(method="GET", target="/v1/models", body=b"")
    assert post.send(lines, b"", b"/v1/models", b"GET").status == 200
    uncovered = _uncovered(post, "GET", "/v1/models")
    assert post.send(uncovered, b"", b"/v1/models", b"GET").status == 200
    told = post.send(_uncovered(post, "POST", CHAT.decode()))
    assert "has a body" in told.error["message"]


def _uncovered(post: Post, method: str, path: str) -> Lines:
    seconds = post.clock.wall() // SECOND
    parameters = b'("@method" "@path" "@query");created=%d;nonce="%b";keyid="required";alg="hmac-sha256"' % (
        seconds,
        method.encode() * 6,
    )
    base = signature.base_of(method.encode(), path.encode(), b"", b"", parameters)
    mac = signature.SigningKey(signing_key_of("k-required")).sign(base)
    return [(b"signature-input", b"s=" + parameters), (b"signature", b"s=" + mac)]


async def test_a_signed_upload_is_read_whole(post: Post) -> None:
    """An unsigned one goes on as it arrives."""
    upload = b"\x00\xff" * 1_000
    lines = post.sign("optional", target="/v1/files", body=upload)
    assert post.send(lines, upload, b"/v1/files").status == 0
    assert post.intake is BUFFER
    await settle()
    assert post.play.sent("openai")[-1].body == upload
    post.send([(b"authorization", b"Bearer k-optional")], upload, b"/v1/files")
    assert post.intake is STREAM
    told = post.send(post.sign("optional", target="/v1/files", body=upload), upload[:-1], b"/v1/files")
    assert told.error["param"] == "content-digest"


async def test_when_no_nonce_can_be_kept_nobody_is_let_in(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """503, with the time at which there is room; and nothing that was used is forgotten."""
    post = Post(tmp_path, max_nonces=2, failures=1)
    lines = post.sign()
    post.send(lines)
    post.send(post.sign())
    full = post.send(post.sign())
    assert word(full) == "503 unavailable"
    assert full.fields[b"retry-after"] == b"600"
    assert word(post.send(lines)) == "401 invalid_signature"
    await post.clock.advance(1_200 * SECOND)
    assert word(post.send(post.sign())) == "in"

    def fails(*_: object) -> None:
        raise OSError(28, "No space left on device")

    post.nonces.change(SKEW, 100)
    monkeypatch.setattr(NonceFile, "append", fails)
    assert word(post.send(post.sign())) == "503 unavailable"
    monkeypatch.setattr(NonceFile, "turn", fails)
    await post.clock.advance(1_200 * SECOND)
    known = len(post.nonces)
    assert word(post.send(post.sign())) == "503 unavailable"
    assert len(post.nonces) == known


async def test_a_wrong_signature_is_a_failure(tmp_path: Path) -> None:
    """Who tries too many is slowed like who tries keys."""
    post = Post(tmp_path, failures=2)
    assert [post.send(post.sign("required", "wrong")).status for _ in range(3)] == [401, 401, 429]


async def test_unknown_keys_and_wrong_signatures_take_the_same_way(post: Post) -> None:
    """The same functions are called, in the same order: what is done is what takes time."""
    for who in (("nobody",), ("required", "wrong"), ("plain",)):
        post.send(post.sign(*who))  # known from now on, as to an attacker who tries again and again
    ways = [_way(post, post.sign(*who)) for who in (("nobody",), ("required", "wrong"), ("plain",))]
    assert ways[0] == ways[1] == ways[2]
    if signature.__file__.endswith(".py"):  # compiled functions are not heard of
        assert {"compare_digest"} <= set(ways[0])


async def test_keys_that_nobody_has_and_keys_that_were_revoked_take_the_same_way(post: Post) -> None:
    """A revoked key is one that nobody has."""
    ways = [_way(post, [(b"authorization", b"Bearer " + key)]) for key in (b"k-first", b"k-revoked", b"never")][1:]
    assert ways[0] == ways[1]


def _way(post: Post, lines: Lines) -> list[str]:
    """The functions that one request calls."""
    called: list[str] = []

    def note(frame: FrameType, event: str, function: Any) -> None:
        if event == "call":
            called.append(frame.f_code.co_qualname if sys.version_info >= (3, 11) else frame.f_code.co_name)
        elif event == "c_call":
            called.append(function.__name__)

    sys.setprofile(note)
    try:
        post.send(lines)
    finally:
        sys.setprofile(None)
    return called


HEADERS = st.lists(st.tuples(st.sampled_from([INPUT, MAC, DIGEST]), st.binary(max_size=60)), max_size=5)


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("nonces")


@given(HEADERS)
async def test_no_headers_make_it_fail(directory: Path, lines: Lines) -> None:
    """Whatever they hold, the answer is a refusal."""
    post = Post(directory)
    assert post.send(lines).status == 401
    post.file.close()


class Cluster:
    """Two workers with a file each, and what they share."""

    def __init__(self, directory: Path, *, closed: bool = False) -> None:
        first = Post(directory / "0")
        self.shared = Here(first.clock, closed=closed)
        self.posts = [first, Post(directory / "1", play=first.play)]
        for post in self.posts:
            post.gateway.proofs = Proofs(self.shared, post.clock, asyncio.get_running_loop())

    async def send(self, worker: int, lines: Lines) -> str:
        wire = self.posts[worker].send(lines)
        await settle()
        return word(wire)


@pytest.fixture
async def cluster(tmp_path: Path) -> Cluster:
    for name in ("0", "1"):
        (tmp_path / name).mkdir()
    return Cluster(tmp_path)


async def test_a_signature_lets_in_once_over_all_workers(cluster: Cluster) -> None:
    """Whichever is shown it again; one exchange each, none for a key alone or what the worker has seen itself."""
    lines = cluster.posts[0].sign()
    assert await cluster.send(0, lines) == "in"
    assert await cluster.send(1, lines) == "401 invalid_signature"
    assert await cluster.send(0, lines) == "401 invalid_signature"
    assert await cluster.send(1, [(b"authorization", b"Bearer k-plain")]) == "in"
    assert cluster.shared.commands == 2
    assert len(cluster.posts[0].play.sent("openai")) == 2


async def test_signatures_over_one_connection_are_asked_for_each(cluster: Cluster) -> None:
    """What is known of a head says nothing of its signature."""
    post, alike = cluster.posts[0], Likeness()
    for _ in range(3):
        assert word(post.send(post.sign(), alike=alike)) == "in"
        await settle()
    assert cluster.shared.commands == 3


async def test_without_the_shared_state_by_policy(cluster: Cluster) -> None:
    """Closed: nobody who signs is let in. Else each worker looks at its own, and tells of them when it can."""
    cluster.shared.away = True
    lines = cluster.posts[0].sign()
    assert await cluster.send(0, lines) == "in"
    assert await cluster.send(0, lines) == "401 invalid_signature"
    cluster.shared.closed = True
    assert await cluster.send(0, cluster.posts[0].sign()) == "503 unavailable"
    cluster.shared.away = False
    assert await cluster.send(0, cluster.posts[0].sign()) == "in"
    assert await cluster.send(1, lines) == "401 invalid_signature"


async def test_what_was_signed_before_nonces_were_lost_is_refused(cluster: Cluster) -> None:
    """It may have been used where nobody remembers."""
    lines = cluster.posts[0].sign()
    assert await cluster.send(0, lines) == "in"
    cluster.shared.flush()
    assert await cluster.send(1, lines) == "401 invalid_signature"
    await cluster.posts[0].clock.advance(2 * SECOND)
    assert await cluster.send(1, cluster.posts[0].sign()) == "in"
