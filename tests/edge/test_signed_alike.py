"""Signed heads that are known from the one before: whatever is sent, the verdict is that of a head which nobody knows.

Two gateways get the same bytes over real connections: one over a connection whose heads are known, one over a new
connection for each request. Their answers are the same to the byte.
"""

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.edge.access.test_signatures import Post
from tests.edge.test_gateway import BODY
from tests.line.scenes import play_of, provider
from tidegate.client import Signer
from tidegate.edge.access.memo import HeadMemo
from tidegate.edge.access.principals import Clients
from tidegate.edge.access.roster import Roster
from tidegate.edge.gateway import Runtime
from tidegate.model.directory import Gone, PutKey, PutNamespace
from tidegate.model.keys import digest_of, signing_key_of
from tidegate.model.snapshot import (
    AddressLimits,
    ClientKey,
    Limits,
    Namespace,
    ServerSettings,
    SigningSettings,
    Snapshot,
)
from tidegate.policy.access import signature
from tidegate.testing import Playbook
from tidegate.testing.clock import SECOND
from tidegate.wire.connection import ServerConnection
from tidegate.wire.exchange import Exchange, Intake
from tidegate.wire.hub import Hub

UNSERVED = json.dumps(
    {**BODY, "model": "no such model"}
).encode()  # so every answer comes at once, and says whose it is
TARGET = "/v1/chat/completions"
LIMITS = AddressLimits(
    failures=6, key_rpm=60, key_burst=30, address_rpm=600, address_burst=60, user_rpm=120, user_burst=60
)


def key(name: str, signing: str, **more: Any) -> ClientKey:
    """Its answers tell it from the others: they say which models it may use."""
    derived = signing_key_of(f"k-{name}") if signing != "off" else b""
    models = (f"{name}-models",)
    return ClientKey(name, digest_of(f"k-{name}"), signing=signing, signing_key=derived, models=models, **more)


KEYS = (key("required", "required"), key("optional", "optional"), key("plain", "off"))
MANAGED = PutKey("acme", key("managed", "required"))


class Line(asyncio.Transport):
    """The client's end of a connection."""

    def __init__(self) -> None:
        super().__init__({"peername": ("192.0.2.1", 1)})
        self.got = b""
        self.closed = False

    def write(self, data: Any) -> None:
        self.got += bytes(data)

    def writelines(self, list_of_data: Any) -> None:
        self.got += b"".join(list_of_data)

    def can_write_eof(self) -> bool:
        return True

    def write_eof(self) -> None:
        self.closed = True

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.closed = True

    def get_write_buffer_size(self) -> int:
        return 0

    def pause_reading(self) -> None:
        """Nobody reads here."""

    def resume_reading(self) -> None:
        """Nobody reads here."""


class Gate(Post):
    """A gateway behind real connections, whose keys are managed while it runs."""

    def __init__(self, directory: Path, play: Playbook) -> None:
        directory.mkdir(exist_ok=True)
        super().__init__(directory, play=play)
        self.log = Roster()
        door = self.gateway.runtime.door
        assert door is not None
        door.change(LIMITS, SigningSettings(300 * SECOND, 100))
        for change in (PutNamespace(Namespace("acme")), MANAGED):
            self.log.apply(change)
        clients = Clients(Snapshot(version=1, providers=(), clients=KEYS), self.log)
        self.gateway.runtime = Runtime(self.play.book, clients, door)
        self.seen: list[Exchange] = []
        self.hub = Hub(self, ServerSettings(), self.clock, asyncio.get_running_loop())

    def head(self, exchange: Exchange) -> Intake:
        self.seen.append(exchange)
        return self.gateway.head(exchange)

    def call(self, exchange: Exchange) -> None:
        self.gateway.call(exchange)

    def refusal(self, path: bytes, status: int, code: str, message: str) -> bytes:
        return self.gateway.refusal(path, status, code, message)

    def open(self) -> tuple[Line, ServerConnection]:
        line, connection = Line(), ServerConnection(self.hub)
        connection.connection_made(line)
        return line, connection

    def end(self) -> None:
        self.hub.close()
        self.file.close()


class Pair:
    """The same requests to a gateway that knows their heads, and to one that does not."""

    def __init__(self, directory: Path) -> None:
        limits = {f"{name}-models": Limits(3_000, 60_000) for name in ("required", "optional", "plain", "managed")}
        self.play = play_of(provider(limits=limits))
        self.warm = Gate(directory / "warm", self.play)
        self.cold = Gate(directory / "cold", self.play)
        self.clock = self.play.clock
        self.count = 0
        self.sent: list[bytes] = []
        self.line, self.connection = self.warm.open()
        self.fresh = True  # nothing is known yet

    def request(self, who: str = "required", key: str = "", off: int = 0, body: bytes = UNSERVED) -> bytes:
        """As a client of ours would send it, with a nonce of its own."""
        self.count += 1
        signer = Signer(
            who,
            key or f"k-{who}",
            clock=lambda: self.clock.wall() / SECOND + off,
            nonce=lambda: f"nonce-of-number-{self.count}",
        )
        lines = [f"{name}: {value}\r\n" for name, value in signer.headers("POST", TARGET, body).items()]
        head = f"POST {TARGET} HTTP/1.1\r\nHost: a\r\nX-Tag: 1\r\n{''.join(lines)}Content-Length: {len(body)}\r\n\r\n"
        return head.encode() + body

    def warm_up(self) -> None:
        """A new connection, whose heads are known from the third request on."""
        self.line, self.connection = self.warm.open()
        self.fresh = False
        for _ in range(3):
            self.send(self.request())

    def send(self, data: bytes) -> bytes:
        """The answer; raises `AssertionError` where the two differ."""
        self.sent.append(data)
        self.line.got = b""
        self.connection.data_received(data)
        line, connection = self.cold.open()
        connection.data_received(data)
        assert self.line.got == line.got
        assert self.line.closed == line.closed
        connection.drain()
        if not line.closed or self.line.closed:  # something is missing, or too much was sent, or it is over
            self.line, self.connection = self.warm.open()
            self.fresh = True
        connection.close()
        return line.got

    def limit(self, limits: AddressLimits) -> None:
        for gate in (self.warm, self.cold):
            door = gate.gateway.runtime.door
            assert door is not None
            door.change(limits, SigningSettings(300 * SECOND, 100))

    def tell(self, *changes: Any) -> None:
        for gate in (self.warm, self.cold):
            for change in changes:
                gate.log.apply(change)
            gate.gateway.runtime.follow(gate.log)

    def end(self) -> None:
        self.warm.end()
        self.cold.end()


@pytest.fixture
async def pair(tmp_path: Path) -> Any:
    made = Pair(tmp_path)
    yield made
    made.end()


async def test_the_heads_of_signers_are_known(pair: Pair) -> None:
    """What they say is made once for each key; each signature is looked at, and each answer is for who signed."""
    pair.warm_up()
    for who in ("required", "optional", "managed") * 3:
        assert b"It may use: %b-models." % who.encode() in pair.send(pair.request(who))
    later = pair.warm.seen[3:]
    assert len({id(exchange.alike.note) for exchange in later}) == 1
    note = later[0].alike.note
    assert isinstance(note, HeadMemo)
    assert note.signers is not None
    assert len(pair.warm.nonces) == pair.count
    assert [exchange.header(b"signature") for exchange in later] != [later[0].header(b"signature")] * len(later)


async def test_a_head_that_is_known_is_signed_once(pair: Pair) -> None:
    """Replays, other bodies and wrong keys are refused as by anybody, and count as failures."""
    pair.warm_up()
    assert b"nonce has been used" in pair.send(pair.sent[-1])
    assert b"is not the one that" in pair.send(pair.request()[:-1] + b"]")
    for _ in range(4):
        assert signature.WRONG[:40].encode() in pair.send(pair.request("required", "wrong"))
    assert b"429 Too Many" not in pair.send(pair.request())
    for _ in range(3):
        told = pair.send(pair.request("required", "wrong"))
    assert b"429 Too Many" in told


@pytest.mark.parametrize(
    ("limits", "words"),
    [
        (AddressLimits(address_rpm=10, address_burst=8), b"from this address"),
        (AddressLimits(key_rpm=10, key_burst=8), b"with this key from this address"),
        (AddressLimits(user_rpm=10, user_burst=8), b"by this user"),
    ],
)
async def test_requests_of_known_heads_are_counted(pair: Pair, limits: AddressLimits, words: bytes) -> None:
    """By their address, by key and address, and by user: exactly as others are."""
    pair.limit(limits)
    pair.warm_up()
    told = [pair.send(pair.request("optional" if number % 2 else "required")) for number in range(24)]
    assert b"429 Too Many" in told[-1]
    assert b"Too many requests " + words in told[-1]
    assert b"403" in told[4]
    await pair.clock.advance(60 * SECOND)
    assert b"403" in pair.send(pair.request())


async def test_who_is_known_is_revoked_and_runs_out(pair: Pair) -> None:
    """With the next request, on a connection that stands; so does a body that is on its way."""
    pair.warm_up()
    for _ in range(3):
        assert b"403" in pair.send(pair.request("managed"))
    pair.tell(Gone("key", "acme", "managed"))
    assert b"401" in pair.send(pair.request("managed"))
    pair.tell(PutKey("acme", key("managed", "required", expires_us=pair.clock.wall() + 2 * SECOND)))
    for _ in range(3):
        assert b"403" in pair.send(pair.request("managed"))
    await pair.clock.advance(2 * SECOND)
    assert b"expired at" in pair.send(pair.request("managed"))


async def test_who_is_known_is_revoked_while_a_body_is_on_its_way(pair: Pair) -> None:
    """Then it is too late for it."""
    pair.warm_up()
    for _ in range(3):
        assert b"403" in pair.send(pair.request("managed"))
    data = pair.request("managed")
    pair.line.got = b""
    pair.connection.data_received(data[:-10])
    pair.tell(Gone("key", "acme", "managed"))
    pair.connection.data_received(data[-10:])
    assert b"401" in pair.line.got


PLACE = st.integers(0, 1_000)
PUT = st.binary(max_size=3) | st.sampled_from(
    [
        b"\r\n",
        b"\n",
        b" ",
        b"\t",
        b"\0",
        b", ",
        b";a=1",
        b'"',
        b":",
        b"=",
        b"\xff",
        b"\r\nSignature: s=:A:",
        b"a" * 3_000,
    ]
)
EDITS = st.tuples(
    st.sampled_from(["put", "line twice", "line away", "line last", "name", "value of before"]), PLACE, PLACE, PUT
)
SIGNERS = st.tuples(
    st.sampled_from(["required", "optional", "managed", "plain", "nobody"]), st.sampled_from(["", "", "", "wrong"])
)
BEARERS = st.sampled_from([b"", b"", b"k-plain", b"k-optional", b"k-required", b"unknown"])
EVENTS = st.sampled_from(["", "", "", "", "replay", "revoke", "give", "wait", "late", "body"])
STEPS = st.tuples(EVENTS, SIGNERS, BEARERS, st.lists(EDITS, max_size=2))


def edited(data: bytes, before: bytes, edit: tuple[str, int, int, bytes]) -> bytes:
    """A request of which one thing is other than it was signed."""
    how, at, other, put = edit
    head, _, body = data.partition(b"\r\n\r\n")
    lines = head.split(b"\r\n")
    line = at % len(lines)
    if how == "put":
        at = len(lines[0]) + 2 + at % max(1, len(head) - len(lines[0]))
        head = head[:at] + put + head[at + other % 4 :]
        return head + b"\r\n\r\n" + body
    if how == "line twice":
        lines.insert(1 + other % len(lines), lines[line])
    elif how == "line away":
        del lines[line]
    elif how == "line last":
        lines.append(lines.pop(line))
    elif how == "name":
        lines[line] = lines[line].swapcase() if other % 2 else lines[line].replace(b": ", b":  ")
    else:
        was = [each for each in before.partition(b"\r\n\r\n")[0].split(b"\r\n") if each[:9] == lines[line][:9]]
        lines[line] = was[0] if was else lines[line]
    return b"\r\n".join(lines) + b"\r\n\r\n" + body


@pytest.fixture(scope="module")
def directory(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("pairs")


@given(st.lists(STEPS, min_size=1, max_size=6))
async def test_whatever_is_sent_the_verdict_is_the_same(directory: Path, steps: list[Any]) -> None:
    """To the byte: right and wrong signatures, replays, edited heads and bodies, while keys come and go."""
    for name in ("nonces", "nonces.old"):
        for gate in ("warm", "cold"):
            (directory / gate / name).unlink(missing_ok=True)
    pair = Pair(directory)
    await pair.clock.advance(SECOND)
    pair.warm_up()
    for event, (who, secret), bearer, edits in steps:
        data = pair.request(who, secret, off={"late": -400}.get(event, 0))
        if event == "revoke":
            pair.tell(Gone("key", "acme", "managed"))
        elif event == "give":
            pair.tell(MANAGED)
        elif event == "wait":
            await pair.clock.advance(30 * SECOND)
        elif event == "replay":
            data = pair.sent[-1]
        elif event == "body":
            data = data.replace(b"hello", b"hallo")
        if bearer:
            data = data.replace(b"X-Tag: 1", b"X-Tag: 1\r\nAuthorization: Bearer " + bearer)
        for edit in edits:
            data = edited(data, pair.sent[-1], edit)
        pair.send(data)
        if pair.fresh:
            pair.warm_up()
    pair.end()
