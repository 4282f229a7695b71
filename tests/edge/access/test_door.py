"""What the head of a request alone decides: who comes too often, and who comes at all."""

import json
from typing import Any

import pytest
from msgspec.structs import replace

from tests.edge.test_gateway import BODY, CHAT, Wire
from tests.line.scenes import play_of
from tidegate.edge.access.door import Door
from tidegate.edge.access.principals import Clients
from tidegate.edge.gateway import Gateway, Runtime
from tidegate.model.keys import digest_of
from tidegate.model.snapshot import AddressLimits, ClientKey, Namespace, SigningSettings, Snapshot, User
from tidegate.testing.clock import SECOND
from tidegate.wire.exchange import Exchange, Likeness

MESSAGES = b"/v1/messages"
KEYS = tuple(ClientKey(name, digest_of(key)) for key, name in (("k1", "one"), ("k2", "two")))
GOOD = {"authorization": b"Bearer k1"}
OTHER = {"authorization": b"Bearer k2"}
WRONG = {"authorization": b"Bearer k0"}
HOME, AWAY = "192.0.2.1", "198.51.100.1"
Headers = dict[str, bytes] | list[tuple[bytes, bytes]]


class Street:
    """A gateway with a door, in front of a playbook's line."""

    def __init__(
        self, limits: AddressLimits, keys: tuple[ClientKey, ...] = KEYS, spaces: tuple[Namespace, ...] = ()
    ) -> None:
        self.play = play_of()
        self.clock = self.play.clock
        self.door = Door(limits, None, b"secret")
        snapshot = Snapshot(version=1, providers=(), clients=keys, namespaces=spaces)
        runtime = Runtime(self.play.book, Clients(snapshot), self.door)
        self.gateway = Gateway(runtime, self.play.line, self.clock, self.play.recorder, self.play.recorder)

    def come(
        self,
        headers: Headers,
        peer: str = HOME,
        path: bytes = CHAT,
        method: bytes = b"POST",
        alike: Likeness | None = None,
    ) -> Any:
        """One request whose head is refused, or answered by the line later (status 0)."""
        lines = headers if isinstance(headers, list) else [(name.encode(), value) for name, value in headers.items()]
        fields: dict[bytes, bytes] = {}
        for name, value in lines:
            fields.setdefault(name, value)
        wire: Any = Wire()
        exchange = Exchange(wire, method, path, path, b"", lines, fields, peer, alike)
        exchange.body = json.dumps(BODY).encode()
        self.gateway.head(exchange)
        if not exchange.replied:
            self.gateway.call(exchange)
        return wire

    def statuses(self, times: int, headers: Headers = GOOD, peer: str = HOME, **more: Any) -> list[int]:
        return [self.come(headers, peer, **more).status for _ in range(times)]

    @property
    def refused(self) -> list[str]:
        return [kind for plan, kind in self.play.recorder.refusals if not plan]


def street(**limits: Any) -> Street:
    return Street(AddressLimits(**limits))


# ── too often ────────────────────────────────────────────────────────────────────────────────────────────────────────


async def test_an_address_may_come_so_often() -> None:
    """Then it is told when to come again, which is true; another address is not concerned."""
    gate = street(address_rpm=60, address_burst=2)
    assert gate.statuses(3) == [0, 0, 429]
    assert gate.statuses(1, OTHER) == [429]
    assert gate.statuses(1, GOOD, AWAY) == [0]
    told = gate.come(GOOD)
    assert (told.fields[b"retry-after"], told.fields[b"retry-after-ms"]) == (b"1", b"1000")
    assert told.fields[b"x-should-retry"] == b"true"
    assert told.error["code"] == "rate_limit_exceeded"
    assert gate.refused == ["address"] * 3
    await gate.clock.advance(SECOND)
    assert gate.statuses(2) == [0, 429]


async def test_it_is_told_in_the_words_of_the_api_that_was_called() -> None:
    """Anthropic's SDK reads its own form."""
    gate = street(address_rpm=1)
    gate.come(GOOD, path=MESSAGES)
    assert json.loads(gate.come(GOOD, path=MESSAGES).body)["error"]["type"] == "rate_limit_error"


@pytest.mark.parametrize(
    ("path", "method"), [(b"/nowhere", b"GET"), (CHAT, b"GET"), (b"/v1/models", b"GET"), (CHAT, b"POST")]
)
async def test_every_request_counts(path: bytes, method: bytes) -> None:
    """Whatever it is for, and whether or not it shows a key."""
    gate = street(address_rpm=1)
    gate.come(WRONG, path=path, method=method)
    assert gate.come(WRONG, path=path, method=method).status == 429


async def test_health_is_never_refused() -> None:
    """Who asks for it would stop the gate for being busy."""
    gate = street(address_rpm=1, failures=1)
    assert gate.statuses(5, {}, path=b"/healthz", method=b"GET") == [200] * 5
    assert gate.statuses(1) == [0]


async def test_a_head_that_is_known_counts_too() -> None:
    """It is looked at no more, and counted all the same."""
    gate, alike = street(address_rpm=60, address_burst=3), Likeness()
    assert gate.statuses(4, alike=alike) == [0, 0, 0, 429]
    assert gate.statuses(1, OTHER) == [429]


async def test_a_key_at_an_address_may_come_so_often() -> None:
    """Both together: the key elsewhere and another key at the address are not concerned."""
    for alike in (Likeness(), None):
        gate = street(key_rpm=60, key_burst=2)
        assert gate.statuses(3, alike=alike) == [0, 0, 429]
        assert gate.statuses(2, GOOD, AWAY) == [0, 0]
        assert gate.statuses(2, OTHER) == [0, 0]
        assert gate.refused == ["key_and_address"]


def space(name: str, *keys: tuple[str, str]) -> Namespace:
    """A namespace with these keys, each of a user."""
    users = tuple(User(user) for user in dict(keys).values())
    return Namespace(name, clients=tuple(ClientKey(key, digest_of(key), user=user) for key, user in keys), users=users)


def shows(key: str) -> dict[str, bytes]:
    return {"authorization": b"Bearer " + key.encode()}


SPACES = (space("acme", ("a1", "ann"), ("a2", "ann"), ("b1", "bob")), space("zeta", ("z1", "ann")))


@pytest.mark.parametrize("known", [True, False])
async def test_a_user_may_come_so_often(*, known: bool) -> None:
    """By all keys from everywhere together; another user, and one of that name elsewhere, are not concerned."""
    gate = Street(AddressLimits(user_rpm=60, user_burst=3), KEYS, SPACES)
    alikes = {key: Likeness() if known else None for key in ("a1", "a2", "b1", "z1", "k1", "k2")}

    def come(key: str, peer: str = HOME) -> Any:
        return gate.come(shows(key), peer, alike=alikes[key])

    assert [come("a1").status, come("a2", AWAY).status, come("a1", AWAY).status] == [0, 0, 0]
    told = come("a2")
    assert (told.status, told.fields[b"retry-after"], told.fields[b"retry-after-ms"]) == (429, b"1", b"1000")
    assert told.error["message"] == "Too many requests by this user. Try again in 1 s."
    assert [come(key).status for key in ("b1", "z1", "k1", "k2")] == [0] * 4
    assert gate.refused == ["user"]
    await gate.clock.advance(SECOND)
    assert [come("a2").status, come("a1").status] == [0, 429]


async def test_a_key_of_no_user_is_one_of_its_own() -> None:
    """Nobody is free of the bound by saying less; where no key is asked for nobody has a name to be counted by."""
    gate = street(user_rpm=60, user_burst=2)
    assert gate.statuses(3) == [0, 0, 429]
    assert gate.statuses(1, GOOD, AWAY) == [429]
    assert gate.statuses(2, OTHER) == [0, 0]
    assert Street(AddressLimits(user_rpm=1), ()).statuses(5, {}) == [0] * 5


@pytest.mark.parametrize("bound", [AddressLimits(address_rpm=1), AddressLimits(key_rpm=1)], ids=["address", "key"])
@pytest.mark.parametrize("known", [True, False])
async def test_who_is_refused_for_the_address_takes_nothing_of_the_user(bound: AddressLimits, *, known: bool) -> None:
    """A loop on one machine stops the same user nowhere else; who shows no key takes nothing of anybody."""
    gate = Street(replace(bound, user_rpm=60, user_burst=2), KEYS, SPACES)
    alike = Likeness() if known else None
    assert gate.statuses(4, shows("a1"), alike=alike) == [0, 429, 429, 429]
    assert gate.statuses(1, WRONG, "203.0.113.7") == [401]
    assert gate.statuses(1, shows("a1"), AWAY) == [0]
    assert gate.statuses(1, shows("a1"), "203.0.113.9") == [429]
    assert gate.refused[-1] == "user"


async def test_a_user_is_refused_in_the_words_of_the_api_that_was_called() -> None:
    """Before a body is read or a quota is asked."""
    gate = Street(AddressLimits(user_rpm=1), KEYS, SPACES)
    gate.come(shows("a1"))
    told = gate.come(shows("a2"), path=MESSAGES)
    assert (told.status, json.loads(told.body)["error"]["type"]) == (429, "rate_limit_error")


async def test_a_reload_forgives_no_user() -> None:
    """Nor does a bound that comes with one leave out the connections that there are."""
    gate = Street(AddressLimits(), KEYS, SPACES)
    alike = Likeness()
    assert gate.statuses(3, shows("a1"), alike=alike) == [0] * 3
    gate.door.change(AddressLimits(user_rpm=60, user_burst=2), SigningSettings())
    runtime = gate.gateway.runtime
    gate.gateway.runtime = Runtime(runtime.book, runtime.clients, runtime.door)
    assert gate.statuses(3, shows("a1"), alike=alike) == [0, 0, 429]
    gate.door.change(AddressLimits(user_rpm=60, user_burst=3), SigningSettings())
    assert gate.statuses(2, shows("a1"), alike=alike) == [0, 429]


async def test_a_site_of_ipv6_is_one_address() -> None:
    """By its prefix; IPv4 written as IPv6 is IPv4."""
    gate = street(address_rpm=1, prefix6=56)
    assert gate.statuses(1, peer="2001:db8:1:200::1") == [0]
    assert gate.statuses(1, peer="2001:db8:1:2ff:5::9") == [429]
    assert gate.statuses(1, peer="2001:db8:1:300::1") == [0]
    assert gate.statuses(1, peer="192.0.2.9") == [0]
    assert gate.statuses(1, peer="::ffff:192.0.2.9") == [429]


async def test_a_peer_without_an_address_is_one_address() -> None:
    """All behind a Unix socket, unless it tells who they are."""
    gate = street(address_rpm=1)
    assert gate.statuses(2, peer="") == [0, 429]


async def test_behind_a_trusted_proxy_its_clients_are_counted() -> None:
    """And what they invent changes nothing; who is not trusted is not believed."""
    gate = street(address_rpm=1, trusted_proxies=("10.0.0.0/8",))
    lines = [(b"authorization", b"Bearer k1")]
    for claimed, status in ((b"192.0.2.7", 0), (b"203.0.113.1, 192.0.2.7", 429), (b"192.0.2.8", 0)):
        assert gate.come([*lines, (b"x-forwarded-for", claimed)], "10.0.0.1").status == status
    for claimed, status in ((b"192.0.2.20", 0), (b"192.0.2.21", 429)):
        assert gate.come([*lines, (b"x-forwarded-for", claimed)], AWAY).status == status


async def test_without_limits_nothing_is_counted() -> None:
    """A known head carries nothing that would have to be looked at."""
    gate, alike = street(), Likeness()
    assert gate.statuses(100, alike=alike) == [0] * 100
    note: Any = alike.note
    assert note.caller.place is None


@pytest.mark.parametrize("known", [True, False])
async def test_a_change_while_a_body_arrives_frees_nobody(*, known: bool) -> None:
    """Its connection goes on being counted: else whoever can change a key could have it counted no more."""
    gate, alike = street(address_rpm=60, address_burst=3), Likeness()
    if known:
        gate.statuses(1, alike=alike)
    wire: Any = Wire()
    lines = [(b"authorization", b"Bearer k1")]
    exchange = Exchange(wire, b"POST", CHAT, CHAT, b"", lines, dict(lines), HOME, alike)
    gate.gateway.head(exchange)
    runtime = gate.gateway.runtime
    gate.gateway.runtime = Runtime(runtime.book, runtime.clients, runtime.door)
    exchange.body = json.dumps(BODY).encode()
    gate.gateway.call(exchange)
    assert gate.statuses(3, alike=alike) == ([0, 429, 429] if known else [0, 0, 429])


async def test_a_reload_forgives_nobody() -> None:
    """Other limits hold from now on, and what was used is used."""
    gate = street(address_rpm=60, address_burst=2)
    gate.statuses(2)
    gate.door.change(AddressLimits(address_rpm=60, address_burst=3), SigningSettings())
    assert gate.statuses(2) == [0, 429]
    gate.door.change(AddressLimits(), SigningSettings())
    assert gate.statuses(2) == [0, 0]


# ── failing to show a key ────────────────────────────────────────────────────────────────────────────────────────────


async def test_who_fails_too_often_is_slowed() -> None:
    """So many at once and so many a minute; the time that is told is true."""
    gate = street(failures=10)
    assert gate.statuses(12, WRONG) == [401] * 10 + [429] * 2
    told = gate.come({})
    assert (told.status, told.fields[b"retry-after"]) == (429, b"6")
    assert gate.statuses(1, WRONG, AWAY) == [401]
    await gate.clock.advance(6 * SECOND)
    assert gate.statuses(2, WRONG) == [401, 429]
    assert gate.refused == ["key"] * 10 + ["failures"] * 3 + ["key"] * 2 + ["failures"]


async def test_a_slowed_address_is_not_told_which_key_is_right() -> None:
    """Who guesses learns nothing at full speed: a right guess gets the same answer as a wrong one."""
    gate = street(failures=3)
    gate.statuses(3, WRONG)
    right, wrong, none = gate.come(OTHER), gate.come(WRONG), gate.come({})
    assert right.status == wrong.status == none.status == 429
    assert right.body == wrong.body == none.body


async def test_who_was_let_in_lately_is_let_in() -> None:
    """A neighbour's mistyped key, behind the same address, does not stop an application that has called before."""
    gate = street(failures=3)
    assert gate.statuses(1) == [0]
    gate.statuses(3, WRONG)
    assert gate.statuses(2) == [0, 0]
    assert gate.statuses(1, OTHER) == [429]
    assert gate.statuses(1, OTHER, AWAY) == [0]


async def test_without_a_bound_nobody_is_slowed() -> None:
    """`failures: 0`."""
    assert set(street(failures=0).statuses(50, WRONG)) == {401}


async def test_without_keys_nobody_fails() -> None:
    """Everybody may call."""
    gate = Street(AddressLimits(failures=1), ())
    assert gate.statuses(5, {}) == [0] * 5


async def test_the_table_of_peers_is_bounded() -> None:
    """Whoever connects."""
    gate = street()
    for number in range(5_000):
        gate.come({}, f"10.{number >> 8 & 255}.{number & 255}.1", b"/nowhere", b"GET")
    assert len(gate.door._peers) <= 4_096
