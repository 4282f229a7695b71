"""Who calls: client keys by their SHA-256. A look-up is O(1) in the number of keys and tells nothing by its timing."""

from collections.abc import Mapping
from hashlib import sha256

import msgspec

from tidegate.model.snapshot import Snapshot, TierEntry
from tidegate.model.tenant import NOBODY, PAID, Tenant, Tier
from tidegate.wire.exchange import Exchange

_BEARER = b"bearer "
MAX_RECENT = 4_096  # keys seen lately need no hashing: it costs as much as the rest of the look-up


class Client(msgspec.Struct, frozen=True, gc=False):
    """Who shows a key: its name in records, and the tenant that it is served for."""

    name: str
    tenant: Tenant


ANYBODY = Client("", NOBODY)


class Clients:
    """The keys that may call. Without any, everybody may (the gate then serves loopback only)."""

    __slots__ = ("_anybody", "_clients", "_recent")

    def __init__(self, clients: Mapping[bytes, Client], anybody: Client = ANYBODY) -> None:
        """`clients` by the 32-byte SHA-256 of their key; `anybody` is who calls where there are none."""
        self._clients = clients
        self._anybody = anybody
        self._recent: dict[bytes, Client] = {}

    def __len__(self) -> int:
        return len(self._clients)

    def of(self, exchange: Exchange) -> Client | None:
        """Who calls; None when it shows no valid key."""
        if not self._clients:
            return self._anybody
        shown = exchange.header(b"authorization") or exchange.header(b"x-api-key") or exchange.header(b"api-key")
        if shown is None:
            return None
        client = self._recent.get(shown)
        return client if client is not None else self._look_up(shown)

    def _look_up(self, shown: bytes) -> Client | None:
        key = shown[7:].strip() if shown[:7].lower() == _BEARER else shown
        client = self._clients.get(sha256(key).digest())
        if client is not None:
            if len(self._recent) >= MAX_RECENT:
                self._recent.clear()
            self._recent[shown] = client
        return client


def clients_of(snapshot: Snapshot) -> Clients:
    """Everybody whom the snapshot names. O(keys).

    A key of a namespace belongs to its tenant, and so does any other key with the namespace's name; the rest are
    tenants of their own, of tier `paid` and weight 1.
    """
    tiers = {entry.name: _tier(entry) for entry in snapshot.tiers}
    tenants = {item.name: Tenant(item.name, tiers[item.tier], item.weight_milli) for item in snapshot.namespaces}
    paid = tiers[PAID.name]
    clients = alone({key.digest: key.name for key in snapshot.clients}, tenants, paid)
    for item in snapshot.namespaces:
        clients |= {key.digest: Client(key.name, tenants[item.name]) for key in item.clients}
    return Clients(clients, Client("", Tenant("", paid)))


def alone(
    names: Mapping[bytes, str], tenants: dict[str, Tenant] | None = None, tier: Tier = PAID
) -> dict[bytes, Client]:
    """Clients by their key; each name is a tenant of its own, unless `tenants` has one of that name."""
    tenants = {} if tenants is None else tenants
    for name in names.values():
        if name not in tenants:
            tenants[name] = Tenant(name, tier)
    return {digest: Client(name, tenants[name]) for digest, name in names.items()}


def _tier(entry: TierEntry) -> Tier:
    return Tier(entry.name, entry.rank, entry.weight_milli, entry.smoothed, entry.reserve)
