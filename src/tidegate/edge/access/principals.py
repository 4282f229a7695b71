"""Who calls: the keys of the file and of the directory log, and what each of them may.

A key is found by its SHA-256, in O(1) of the number of keys and with nothing told by the timing. What it comes to (its
namespace, user, models, networks) is resolved when it is used, kept for a key that returns, and forgotten with every
change.
"""

from collections.abc import Callable
from hashlib import sha256
from typing import Final

from tidegate.edge.access.entitled import Models, models
from tidegate.edge.access.entries import KeyEntry
from tidegate.edge.access.roster import Roster, declared
from tidegate.edge.bodies import CapturePolicy
from tidegate.model.bodies import BodyPolicy
from tidegate.model.isolation import Served, asks_for_keys
from tidegate.model.playground import CLIENT
from tidegate.model.snapshot import ClientKey, Namespace, Snapshot, TierEntry, User
from tidegate.model.tenant import BATCH, NOBODY, PAID, Tenant, Tier
from tidegate.policy.access.addresses import Networks
from tidegate.policy.access.doorkeeper import Doorkeeper
from tidegate.policy.access.signature import SigningKey
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.wire.exchange import Exchange

_BEARER: Final = b"bearer "
MAX_RECENT: Final = 4_096  # keys that returned lately need neither be hashed nor resolved
LONGEST_RECENT: Final = 512  # bytes: who has a key could else fill memory with spaces around it


class Principal:
    """Who shows a key, and what it may. Nobody changes one. Moments are wall-clock microseconds, 0 = none."""

    __slots__ = (
        "bodies", "cut", "digest", "expires_us", "limits", "models", "name", "networks", "not_before_us", "signing",
        "signing_key", "space", "stored", "tenant", "user",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913 - a record
        self,
        name: str,
        tenant: Tenant,
        key: ClientKey | None = None,
        allowed: Models | None = None,
        limits: Limits | None = None,
        *,
        cut: bool = False,
        stored: bool = True,
        bodies: CapturePolicy | None = None,
        space: str = "",
    ) -> None:
        self.name = name  # of its key, as it stands in records
        self.tenant = tenant
        self.models = allowed  # None = all, and routes without a model too
        self.limits = limits  # what its namespace, user and key may spend; None = no bound
        self.cut = cut  # what is in flight ends when the key is revoked
        self.stored = stored  # may reach what providers keep for all of the organisation
        self.space = space  # its namespace, "" = none: then its tenant is the key
        self.bodies = bodies  # who keeps what its calls say; None = nobody
        self.digest = b"" if key is None else key.digest
        self.user = "" if key is None else key.user
        self.networks = Networks(key.addresses) if key is not None and key.addresses else None
        self.not_before_us = 0 if key is None else key.not_before_us
        self.expires_us = 0 if key is None else key.expires_us
        self.signing = "off" if key is None else key.signing  # off | optional | required
        self.signing_key: SigningKey | None = None  # an empty one is nobody's, and no key
        if key is not None and key.signing != "off" and key.signing_key:
            self.signing_key = SigningKey(key.signing_key)


Limiting = Callable[[Namespace | None, User | None, ClientKey], Limits | None]
Keeping = Callable[[BodyPolicy], CapturePolicy]
ANYBODY: Final = Principal("", NOBODY)


class Clients:
    """The keys that may call. While nobody declares or manages any, everybody may."""

    __slots__ = (
        "_declared", "_keeping", "_limiting", "_managed", "_named", "_patient", "_recent", "_returning", "_served",
        "_snapshot", "_tenants", "_tiers", "anybody", "open",
    )  # fmt: skip

    def __init__(
        self,
        snapshot: Snapshot,
        managed: Roster | None = None,
        limiting: Limiting | None = None,
        keeping: Keeping | None = None,
    ) -> None:
        """`limiting` says what a namespace, a user and a key may spend together, `keeping` who keeps what calls say.

        O(keys of the file).
        """
        self._snapshot = snapshot
        self._served = Served(snapshot)
        self._declared = declared(snapshot)
        self._managed = Roster() if managed is None else managed
        self._limiting = limiting
        self._keeping = keeping
        self._tiers = {entry.name: _tier(entry) for entry in snapshot.tiers}
        self.anybody = Principal("", Tenant("", self._tiers.get(PAID.name, PAID)), bodies=self._keeper(None))
        self._recent: dict[bytes, Principal] = {}  # by what the header says
        self._returning = Doorkeeper()
        self._named: dict[str, Principal | None] = {}
        self._tenants: dict[str, Tenant] = {}
        self._patient: dict[str, Tenant] = {}
        self.open = self._is_open()  # everybody may call

    def follow(self, managed: Roster) -> None:
        """What the log manages has changed, or is another roster altogether. O(keys seen lately)."""
        self._managed = managed
        self._recent.clear()
        self._named.clear()
        self._tenants.clear()
        self._patient.clear()
        self.open = self._is_open()

    def of(self, exchange: Exchange) -> Principal | None:
        """Who calls; None when it shows no key that is known."""
        if self.open:
            return self.anybody
        shown = exchange.header(b"authorization") or exchange.header(b"x-api-key") or exchange.header(b"api-key")
        if shown is None:
            return None
        client = self._recent.get(shown)
        return client if client is not None else self._look_up(shown)

    def by_digest(self, digest: bytes) -> Principal | None:
        """The key of this SHA-256; None when there is none, or its namespace or user is gone."""
        entry = self._declared.by_digest(digest)
        if entry is None:
            entry = self._managed.by_digest(digest)
            if entry is None or self._declared.by_name(entry.key.name) is not None:
                return None
        return self._resolved(entry)

    def by_name(self, name: str) -> Principal | None:
        """The key of this name, as `by_digest`: for signatures, which name their key.

        That there is none is remembered too, so that the timing does not tell one from the other.
        """
        named = self._named
        if name in named:
            return named[name]
        entry = self._declared.by_name(name) or self._managed.by_name(name)
        client = None if entry is None else self._resolved(entry)
        if len(named) >= MAX_RECENT:
            named.clear()
        named[name] = client
        return client

    def guest(self, namespace: str, user: str) -> Principal | None:
        """Who asks in the name of a namespace, and of a user of it, without a key: what they may, and their limits.

        None where one of them is not known, or is served by another worker. "" = in nobody's name.
        """
        if namespace not in self._served:
            return None
        record = self._namespace(namespace) if namespace else None
        person = self._user(namespace, user) if user else None
        if (namespace and record is None) or (user and person is None):
            return None
        allowed = models((), () if person is None else person.models, () if record is None else record.models)
        key = ClientKey(CLIENT, b"", user=user)
        limits = None if self._limiting is None else self._limiting(record, person, key)
        tenant, bodies = self._tenant(CLIENT, record), self._keeper(record)
        return Principal(CLIENT, tenant, key, allowed, limits, bodies=bodies, space=namespace)

    def of_jobs(self, client: Principal) -> Tenant:
        """For whom the client's jobs are served: the same tenant, in the last tier. O(1)."""
        own = client.tenant
        tenant = self._patient.get(own.name)
        if tenant is None:
            if len(self._patient) >= MAX_RECENT:
                self._patient.clear()
            tenant = self._patient[own.name] = own.patient(self._tiers.get(BATCH.name, BATCH))
        return tenant

    def _is_open(self) -> bool:
        """Neither the file nor the log has ever had a key, nor has a neighbour."""
        return not self._declared.keyed and not self._managed.keyed and not asks_for_keys(self._snapshot)

    def _look_up(self, shown: bytes) -> Principal | None:
        key = shown[7:].strip() if shown[:7].lower() == _BEARER else shown
        client = self.by_digest(sha256(key).digest())
        if client is not None and len(shown) <= LONGEST_RECENT:
            if not self._returning.again(hash(shown)):
                return client
            if len(self._recent) >= MAX_RECENT:
                self._recent.clear()
            self._recent[shown] = client
        return client

    def _resolved(self, entry: KeyEntry) -> Principal | None:
        """What the key comes to; None without its namespace or user, and where another worker serves it."""
        key, name = entry.key, entry.tenancy.name
        if name not in self._served:
            return None
        namespace = self._namespace(name) if name else None
        user = self._user(name, key.user) if key.user else None
        if (name and namespace is None) or (key.user and user is None):
            return None
        allowed = models(
            key.models,
            () if user is None else user.models,
            () if namespace is None else namespace.models,
        )
        limits = None if self._limiting is None else self._limiting(namespace, user, key)
        cut, stored = False, True
        if namespace is not None:
            cut, stored = namespace.on_revoked == "cut", namespace.stored
        tenant, bodies = self._tenant(key.name, namespace), self._keeper(namespace)
        return Principal(key.name, tenant, key, allowed, limits, cut=cut, stored=stored, bodies=bodies, space=name)

    def _keeper(self, namespace: Namespace | None) -> CapturePolicy | None:
        """By what the namespace says, else the file for all."""
        own = None if namespace is None else namespace.bodies
        policy = self._snapshot.bodies if own is None else own
        if self._keeping is None or policy is None or not (policy.sample_ppm or policy.errors):
            return None
        return self._keeping(policy)

    def _namespace(self, name: str) -> Namespace | None:
        """Its record: the file's before the log's."""
        for roster in (self._declared, self._managed):
            tenancy = roster.tenancies.get(name)
            if tenancy is not None and tenancy.namespace is not None:
                return tenancy.namespace
        return None

    def _user(self, namespace: str, name: str) -> User | None:
        for roster in (self._declared, self._managed):
            tenancy = roster.tenancies.get(namespace)
            if tenancy is not None and name in tenancy.users:
                return tenancy.users[name]
        return None

    def _tenant(self, key: str, namespace: Namespace | None) -> Tenant:
        """One for all keys of a namespace; who has none is a tenant of its own, of tier `paid` and weight 1."""
        paid = self._tiers.get(PAID.name, PAID)
        if namespace is None:
            return Tenant(key, paid)
        tenant = self._tenants.get(namespace.name)
        if tenant is None:
            if len(self._tenants) >= MAX_RECENT:
                self._tenants.clear()
            tier = self._tiers.get(namespace.tier, paid)  # a tier that the file has no more counts as paid
            tenant = self._tenants[namespace.name] = Tenant(namespace.name, tier, namespace.weight_milli)
        return tenant


def _tier(entry: TierEntry) -> Tier:
    return Tier(entry.name, entry.rank, entry.weight_milli, entry.smoothed, entry.reserve)
