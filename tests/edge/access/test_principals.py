"""Who calls."""

from dataclasses import dataclass

import pytest

from tests.edge.known import digest, known
from tidegate.edge.access.principals import MAX_RECENT, Clients, Principal
from tidegate.edge.access.roster import Roster
from tidegate.model.directory import Change, Gone, PutKey, PutNamespace, PutUser
from tidegate.model.playground import CLIENT
from tidegate.model.snapshot import (
    BUILT_IN_TIERS,
    Allowance,
    ClientKey,
    Isolation,
    Namespace,
    Snapshot,
    TierEntry,
    User,
)
from tidegate.model.tenant import NOBODY, PAID, VIP, Tenant
from tidegate.policy.access.signature import SigningKey
from tidegate.policy.tenant_limits.common import Common
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.wire.exchange import Exchange


def asking(**headers: bytes) -> Exchange:
    fields = {name.replace("_", "-").encode(): value for name, value in headers.items()}
    return Exchange(None, b"POST", b"/v1/x", b"/v1/x", b"", list(fields.items()), fields, "")  # type: ignore[arg-type]


def clients(*keys: str) -> Clients:
    return known({key: f"name of {key}" for key in keys})


def named(client: Principal | None) -> str | None:
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
    runtime = clients("k1", "k2")
    assert named(runtime.of(asking(**headers))) == "name of k1"
    assert named(runtime.of(asking(**headers))) == "name of k1"


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


def test_wrong_keys_fill_no_memory() -> None:
    """Only keys that are right are remembered, and not for ever."""
    runtime = clients(*(f"k{number}" for number in range(MAX_RECENT + 10)))
    for number in range(1_000):
        assert runtime.of(asking(authorization=b"Bearer wrong%d" % number)) is None
    assert len(runtime._recent) == 0
    for number in range(MAX_RECENT + 10):
        for _ in range(2):
            assert named(runtime.of(asking(authorization=b"Bearer k%d" % number))) == f"name of k{number}"
        assert named(runtime.by_name(f"name of k{number}")) == f"name of k{number}"
    assert 0 < len(runtime._recent) <= MAX_RECENT
    assert len(runtime._named) <= MAX_RECENT


def test_namespaces_fill_no_memory() -> None:
    """However many of them call, a few thousand are remembered."""
    names = [f"n{number}" for number in range(MAX_RECENT + 10)]
    spaces = tuple(Namespace(name, clients=(key(name),)) for name in names)
    runtime = Clients(Snapshot(version=1, providers=(), namespaces=spaces))
    for name in names:
        found = tenant(runtime, name.encode())
        assert found is not None
        assert found.name == name
    assert 0 < len(runtime._tenants) <= MAX_RECENT


def test_who_calls_once_is_not_remembered() -> None:
    """Where a hundred thousand call in turn nobody returns in time; who calls again is found without hashing."""
    keys = [f"k{number}" for number in range(50)]
    runtime = clients(*keys)
    for key in keys:
        runtime.of(asking(authorization=b"Bearer " + key.encode()))
    assert len(runtime._recent) < 5  # one may be taken for another
    client = runtime.of(asking(authorization=b"Bearer k2"))
    assert b"Bearer k2" in runtime._recent
    assert runtime.of(asking(authorization=b"Bearer k2")) is client


def test_one_key_fills_no_memory() -> None:
    """Written with ever more spaces before it, it is the same key, and only short ones are remembered."""
    runtime = clients("k1")
    for spaces in 2 * list(range(0, 30_000, 1_000)):
        assert named(runtime.of(asking(authorization=b"Bearer " + b" " * spaces + b"k1"))) == "name of k1"
    assert sum(len(shown) for shown in runtime._recent) < 1_000


def test_a_hundred_thousand_keys_are_found_by_one_look() -> None:
    """The last as the first."""
    keys = tuple(ClientKey(str(number), digest(f"k{number}")) for number in range(100_000))
    runtime = Clients(Snapshot(version=1, providers=(), clients=keys))
    assert named(runtime.of(asking(authorization=b"Bearer k99999"))) == "99999"


ACME = Namespace("acme", "vip", 2_000, (ClientKey("acme-1", digest("a1")), ClientKey("web", digest("a2"))))
KEYS = (("billing", "b"), ("acme", "a3"), ("quiet", "q"), ("team", "f1"), ("team", "f2"))
SNAPSHOT = Snapshot(
    version=1,
    providers=(),
    namespaces=(ACME, Namespace("quiet", "gold")),
    clients=tuple(ClientKey(name, digest(key)) for name, key in KEYS),
    tiers=(*BUILT_IN_TIERS, TierEntry("gold", 7, 500, smoothed=False)),
)


def tenant(runtime: Clients, key: bytes) -> Tenant | None:
    client = runtime.of(asking(x_api_key=key))
    return client.tenant if client is not None else None


def test_keys_of_a_namespace_are_its_tenants() -> None:
    """All of them are one tenant; each has a name of its own in the records."""
    runtime = Clients(SNAPSHOT)
    assert named(runtime.of(asking(x_api_key=b"a2"))) == "web"
    assert tenant(runtime, b"a2") == Tenant("acme", VIP, 2_000)
    assert tenant(runtime, b"a1") is tenant(runtime, b"a2")


def test_other_keys_are_tenants_of_their_own() -> None:
    """Of tier `paid` and weight 1; the keys of one name are one tenant."""
    runtime = Clients(SNAPSHOT)
    assert tenant(runtime, b"b") == Tenant("billing", PAID)
    assert tenant(runtime, b"f1") == tenant(runtime, b"f2")
    assert tenant(runtime, b"f1") == Tenant("team", PAID)


def test_a_key_with_a_namespaces_name_is_its_key() -> None:
    """So a file can hold the keys of many namespaces."""
    runtime = Clients(SNAPSHOT)
    assert tenant(runtime, b"a3") is tenant(runtime, b"a1")
    found = tenant(runtime, b"q")
    assert found is not None
    assert (found.tier.name, found.tier.rank, found.tier.weight_milli, found.tier.smoothed) == ("gold", 7, 500, False)


def test_nobody_is_of_the_paid_tier_as_it_is() -> None:
    """Calls without a namespace are one tenant, in the tier as the file changes it."""
    plain = Clients(Snapshot(version=1, providers=())).of(asking(authorization=b"Bearer anything"))
    assert plain is not None
    assert (plain.name, plain.user, plain.tenant) == ("", "", NOBODY)
    changed = Clients(Snapshot(version=1, providers=(), tiers=(TierEntry("paid", 3, 9_000),))).of(asking())
    assert changed is not None
    assert (changed.tenant.name, changed.tenant.tier.rank, changed.tenant.tier.weight_milli) == ("", 3, 9_000)


@dataclass
class Followed:
    """Clients of a file that follow a log."""

    clients: Clients
    log: Roster

    def tell(self, *changes: Change) -> None:
        for change in changes:
            self.log.apply(change)
        self.clients.follow(self.log)

    def who(self, key: str) -> Principal | None:
        return self.clients.of(asking(x_api_key=key.encode()))


def followed(snapshot: Snapshot = SNAPSHOT, *changes: Change) -> Followed:
    log = Roster()
    made = Followed(Clients(snapshot, log), log)
    made.tell(*changes)
    return made


def key(name: str, secret: str = "", **more: object) -> ClientKey:
    return ClientKey(name, digest(secret or name), **more)  # type: ignore[arg-type]


EMPTY = Snapshot(version=1, providers=())


def test_a_managed_key_is_a_key() -> None:
    """Of its namespace, with its user; changed, and revoked."""
    runtime = followed(EMPTY, PutNamespace(Namespace("shop", "free", 500)), PutUser("shop", User("ann")))
    runtime.tell(PutKey("shop", key("till", user="ann", signing="optional", signing_key=b"s" * 32, expires_us=7)))
    client = runtime.who("till")
    assert client is not None
    assert (client.name, client.user, client.tenant.name, client.tenant.tier.name) == ("till", "ann", "shop", "free")
    assert (client.tenant.weight_milli, client.signing) == (500, "optional")
    assert client.signing_key is not None
    assert client.signing_key.sign(b"base") == SigningKey(b"s" * 32).sign(b"base")
    assert (client.expires_us, client.not_before_us, client.networks, client.models) == (7, 0, None, None)
    assert runtime.who("till") is runtime.who("till")
    assert named(runtime.clients.by_name("till")) == "till"

    runtime.tell(PutNamespace(Namespace("shop", "vip", 500)))
    client = runtime.who("till")
    assert client is not None
    assert client.tenant.tier.name == "vip"
    runtime.tell(PutKey("shop", key("till", "rotated")))
    assert (runtime.who("till"), named(runtime.who("rotated"))) == (None, "till")
    runtime.tell(Gone("key", "shop", "till"))
    assert (runtime.who("rotated"), runtime.clients.by_name("till")) == (None, None)


@pytest.mark.parametrize("gone", [Gone("user", "shop", "ann"), Gone("namespace", "shop", "shop")])
def test_a_key_falls_with_what_it_stands_on(gone: Gone) -> None:
    """Its user, its namespace; and stands up again with a user of that name only."""
    runtime = followed(EMPTY, PutNamespace(Namespace("shop")), PutUser("shop", User("ann")))
    runtime.tell(PutKey("shop", key("till", user="ann")))
    assert named(runtime.who("till")) == "till"
    runtime.tell(gone)
    assert (runtime.who("till"), runtime.clients.by_name("till")) == (None, None)
    runtime.tell(PutNamespace(Namespace("shop")), PutUser("shop", User("ann")))
    assert named(runtime.who("till")) == ("till" if gone.kind == "user" else None)


def test_a_key_without_its_namespace_is_none() -> None:
    """Until there is one: an order that a log never has, and that lets nobody in."""
    runtime = followed(EMPTY, PutKey("shop", key("till")))
    assert runtime.who("till") is None
    runtime.tell(PutNamespace(Namespace("shop")))
    assert named(runtime.who("till")) == "till"


def test_a_namespace_of_the_file_has_managed_users_and_keys() -> None:
    """It stays as the file has it, whatever the log says; and so do users and keys that the file names."""
    file = Snapshot(
        version=1,
        providers=(),
        namespaces=(Namespace("acme", "vip", clients=(key("web", user="ann"),), users=(User("ann", ("gpt-4o",)),)),),
        clients=(key("lone"),),
    )
    runtime = followed(
        file,
        PutNamespace(Namespace("acme", "free")),
        PutUser("acme", User("ann", ("o3",))),
        PutUser("acme", User("bob")),
        PutKey("acme", key("job", user="bob")),
        PutKey("acme", key("web", "other")),  # a name that the file has
        PutKey("acme", key("lone", "third")),
        PutKey("acme", key("twin", "web")),  # a key that the file has
    )
    job, web = runtime.who("job"), runtime.who("web")
    assert job is not None
    assert web is not None
    assert (job.tenant.tier.name, job.user, job.tenant is web.tenant) == ("vip", "bob", True)
    assert web.models is not None
    assert web.models.of(["gpt-4o", "o3"]) == ["gpt-4o"]
    assert (web.name, runtime.who("other"), runtime.who("third")) == ("web", None, None)
    assert runtime.clients.by_name("web") is not None
    runtime.tell(Gone("key", "acme", "web"), Gone("user", "acme", "ann"), Gone("namespace", "acme", "acme"))
    assert (named(runtime.who("web")), named(runtime.who("lone")), runtime.who("job")) == ("web", "lone", None)


def test_what_lists_allow_together() -> None:
    """A key, its user and its namespace: what all of them allow."""
    runtime = followed(
        EMPTY,
        PutNamespace(Namespace("shop", models=("gpt-*", "o3"))),
        PutUser("shop", User("ann", ("gpt-4o", "gpt-4o-mini", "o3"))),
        PutKey("shop", key("till", user="ann", models=("gpt-4*",))),
        PutKey("shop", key("all", models=("*",))),
    )
    till, everything = runtime.who("till"), runtime.who("all")
    assert till is not None
    assert till.models is not None
    assert till.models.of(["gpt-4o", "gpt-4", "gpt-4o-mini", "o3", "gpt-3"]) == ["gpt-4o", "gpt-4o-mini"]
    assert everything is not None
    assert everything.models is not None
    assert everything.models.of(["gpt-4o", "o3", "o4"]) == ["gpt-4o", "o3"]


def test_a_tier_that_the_file_has_no_more_is_paid() -> None:
    """A managed namespace outlives what it was made with."""
    runtime = followed(EMPTY, PutNamespace(Namespace("shop", "gold")), PutKey("shop", key("till")))
    client = runtime.who("till")
    assert client is not None
    assert client.tenant == Tenant("shop", PAID)


def test_everybody_may_while_there_was_never_a_key() -> None:
    """A namespace closes nothing, the first key does; that it is revoked does not open the door again."""
    runtime = followed(EMPTY, PutNamespace(Namespace("shop")))
    assert runtime.clients.open
    assert named(runtime.who("anything")) == ""
    runtime.tell(PutKey("shop", key("till")))
    assert not runtime.clients.open
    assert (runtime.who("anything"), runtime.clients.of(asking()), named(runtime.who("till"))) == (None, None, "till")
    runtime.tell(Gone("key", "shop", "till"), Gone("namespace", "shop", "shop"))
    assert not runtime.clients.open
    assert runtime.who("anything") is None


def test_a_gate_with_neighbours_is_never_open() -> None:
    """Their keys are keys, though this worker takes none of them."""
    file = Snapshot(
        version=1,
        providers=(),
        namespaces=(Namespace("acme", clients=(key("web"),)), Namespace("shop")),
        isolated=(Isolation("acme", 8_081),),
    )
    assert Clients(Snapshot(version=1, providers=(), isolated=file.isolated)).of(asking()) is None
    runtime = followed(file, PutKey("acme", key("job")), PutKey("shop", key("till")))
    assert [named(runtime.who(name)) for name in ("web", "job", "till")] == [None, None, "till"]


def test_what_may_be_spent_is_asked_until_a_key_returns() -> None:
    """With the records as they hold: the file's before the log's."""
    asked = []

    def limiting(namespace: Namespace | None, user: User | None, key: ClientKey) -> Limits | None:
        asked.append((namespace and namespace.name, user and user.allowance.rpm, key.name))
        return Limits(key.name, (), {}, Common()) if key.name == "till" else None

    log = Roster()
    shop, ann = PutNamespace(Namespace("shop")), PutUser("shop", User("ann", allowance=Allowance(rpm=5)))
    for change in (shop, ann, PutKey("shop", key("till", user="ann")), PutKey("shop", key("free"))):
        log.apply(change)
    runtime = Clients(Snapshot(version=1, providers=(), clients=(key("lone"),)), log, limiting)
    found = [runtime.of(asking(x_api_key=name)) for name in 3 * (b"till", b"free", b"lone")]
    assert [client is not None and client.limits is not None for client in found] == 3 * [True, False, False]
    assert asked == 2 * [("shop", 5, "till"), ("shop", None, "free"), (None, None, "lone")]


def test_who_asks_in_a_namespaces_name() -> None:
    """Without a key: with the models of namespace and user, and limits that are asked for under no key's name."""
    asked: list[tuple[str, str, str]] = []

    def limiting(namespace: Namespace | None, user: User | None, key: ClientKey) -> Limits | None:
        asked.append((namespace.name if namespace else "", user.name if user else "", key.name))
        return None

    acme = Namespace("acme", tier="vip", users=(User("ann", models=("gpt-4o*",)),), models=("gpt*",))
    runtime = Clients(Snapshot(version=1, providers=(), namespaces=(acme,)), None, limiting)
    ann, anybody = runtime.guest("acme", "ann"), runtime.guest("", "")
    assert ann is not None
    assert (ann.tenant.name, ann.tenant.tier.name, ann.user, ann.space) == ("acme", "vip", "ann", "acme")
    assert ann.models is not None
    assert (ann.models.allow("gpt-4o"), ann.models.allow("gpt-3")) == (True, False)
    assert anybody is not None
    assert (anybody.models, anybody.space) == (None, "")
    assert asked == [("acme", "ann", CLIENT), ("", "", CLIENT)]
    assert runtime.guest("acme", "bob") is None
    assert runtime.guest("nobody", "") is None


def test_nobody_asks_in_the_name_of_a_namespace_of_another_worker() -> None:
    """Its limits are kept there."""
    isolated = (Isolation("acme", 8_090),)
    runtime = Clients(Snapshot(version=1, providers=(), namespaces=(Namespace("acme"),), isolated=isolated))
    assert runtime.guest("acme", "") is None
    own = Clients(Snapshot(version=1, providers=(), namespaces=(Namespace("acme"),), namespace="acme"))
    assert own.guest("acme", "") is not None
    assert own.guest("", "") is None
