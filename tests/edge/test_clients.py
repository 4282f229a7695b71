"""Who calls."""

from hashlib import sha256

import pytest

from tidegate.edge.clients import ANYBODY, MAX_RECENT, Client, Clients, alone, clients_of
from tidegate.model.snapshot import BUILT_IN_TIERS, ClientKey, Namespace, Snapshot, TierEntry
from tidegate.model.tenant import NOBODY, PAID, VIP, Tenant
from tidegate.wire.exchange import Exchange


def asking(**headers: bytes) -> Exchange:
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Exchange(None, b"POST", b"/v1/x", b"/v1/x", b"", list(fields.items()), fields, "")  # type: ignore[arg-type]


def clients(*keys: str) -> Clients:
    return Clients(alone({digest(key): f"name of {key}" for key in keys}))


def digest(key: str) -> bytes:
    return sha256(key.encode()).digest()


def named(client: Client | None) -> str | None:
    return None if client is None else client.name


@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": b"Bearer k1"},
        {"authorization": b"bearer k1"},
        {"authorization": b"BEARER   k1 "},
        {"x_api_key": b"k1"},
        {"api_key": b"k1"},
    ],
)
def test_a_key_in_any_of_its_places(headers: dict[str, bytes]) -> None:
    """As the SDKs of OpenAI, Anthropic and Azure send it; the second time as the first."""
    known = clients("k1", "k2")
    assert named(known.of(asking(**headers))) == "name of k1"
    assert named(known.of(asking(**headers))) == "name of k1"


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"authorization": b""},
        {"authorization": b"Bearer "},
        {"authorization": b"Bearer k3"},
        {"authorization": b"Basic azE="},
        {"authorization": b"Bearer k1 k2"},
        {"x_api_key": b"K1"},
        {"authorization": b"Bearer " + b"x" * 60_000},
        {"authorization": b"\xff\xfe"},
    ],
)
def test_anything_else_is_nobody(headers: dict[str, bytes]) -> None:
    """Missing, wrong, of another kind, or absurd."""
    assert clients("k1", "k2").of(asking(**headers)) is None


def test_without_keys_everybody_may() -> None:
    """Without a name."""
    open_house = Clients({})
    assert len(open_house) == 0
    assert open_house.of(asking()) == ANYBODY
    assert open_house.of(asking(authorization=b"Bearer anything")) == ANYBODY


def test_wrong_keys_fill_no_memory() -> None:
    """Only keys that are right are remembered, and not for ever."""
    known = clients(*(f"k{number}" for number in range(MAX_RECENT + 10)))
    for number in range(1_000):
        assert known.of(asking(authorization=b"Bearer wrong%d" % number)) is None
    assert len(known._recent) == 0
    for number in range(MAX_RECENT + 10):
        assert named(known.of(asking(authorization=b"Bearer k%d" % number))) == f"name of k{number}"
    assert len(known._recent) <= MAX_RECENT


def test_a_hundred_thousand_keys_are_found_by_one_look() -> None:
    """The last as the first."""
    keys = tuple(ClientKey(str(number), digest(f"k{number}")) for number in range(100_000))
    known = clients_of(Snapshot(version=1, providers=(), clients=keys))
    assert len(known) == 100_000
    assert named(known.of(asking(authorization=b"Bearer k99999"))) == "99999"


ACME = Namespace("acme", "vip", 2_000, (ClientKey("acme-1", digest("a1")), ClientKey("web", digest("a2"))))
KEYS = (("billing", "b"), ("acme", "a3"), ("quiet", "q"), ("team", "f1"), ("team", "f2"))
SNAPSHOT = Snapshot(
    version=1,
    providers=(),
    namespaces=(ACME, Namespace("quiet", "gold")),
    clients=tuple(ClientKey(name, digest(key)) for name, key in KEYS),
    tiers=(*BUILT_IN_TIERS, TierEntry("gold", 7, 500, smoothed=False)),
)


def tenant(known: Clients, key: bytes) -> Tenant | None:
    client = known.of(asking(x_api_key=key))
    return client.tenant if client is not None else None


def test_keys_of_a_namespace_are_its_tenants() -> None:
    """All of them are one tenant; each has a name of its own in the records."""
    known = clients_of(SNAPSHOT)
    assert known.of(asking(x_api_key=b"a2")) == Client("web", Tenant("acme", VIP, 2_000))
    assert tenant(known, b"a1") is tenant(known, b"a2")


def test_other_keys_are_tenants_of_their_own() -> None:
    """Of tier `paid` and weight 1; the keys of one name are one tenant."""
    known = clients_of(SNAPSHOT)
    assert known.of(asking(x_api_key=b"b")) == Client("billing", Tenant("billing", PAID))
    assert tenant(known, b"f1") is tenant(known, b"f2")
    assert tenant(known, b"f1") == Tenant("team", PAID)


def test_a_key_with_a_namespaces_name_is_its_key() -> None:
    """So a file can hold the keys of many namespaces."""
    known = clients_of(SNAPSHOT)
    assert tenant(known, b"a3") is tenant(known, b"a1")
    found = tenant(known, b"q")
    assert found is not None
    assert (found.tier.name, found.tier.rank, found.tier.weight_milli, found.tier.smoothed) == ("gold", 7, 500, False)


def test_nobody_is_of_the_paid_tier_as_it_is() -> None:
    """Calls without a namespace are one tenant, in the tier as the file changes it."""
    plain = clients_of(Snapshot(version=1, providers=())).of(asking())
    assert plain == ANYBODY
    assert plain is not None
    assert plain.tenant == NOBODY
    changed = clients_of(Snapshot(version=1, providers=(), tiers=(TierEntry("paid", 3, 9_000),))).of(asking())
    assert changed is not None
    assert (changed.tenant.name, changed.tenant.tier.rank, changed.tenant.tier.weight_milli) == ("", 3, 9_000)
