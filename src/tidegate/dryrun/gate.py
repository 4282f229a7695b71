"""The gate of a policy in virtual time: the line, lanes, books and limits that a worker would make of its snapshot."""

from collections.abc import Callable, Iterable
from hashlib import sha256
from typing import Final

from msgspec.structs import replace

from tidegate.dryrun.provider import LedgerProvider, ways
from tidegate.dryrun.virtual import VirtualClock
from tidegate.edge.access.principals import Clients, Principal
from tidegate.edge.access.roster import Roster, declared
from tidegate.line.drilled import NAME as DRILL
from tidegate.line.lanes import Lanes
from tidegate.line.line import Line
from tidegate.line.plan import Plan
from tidegate.line.routing_table import RoutingTable
from tidegate.model.arrivals import Arrival
from tidegate.model.directory import Change, PutKey, PutNamespace, PutUser
from tidegate.model.snapshot import ClientKey, Namespace, Provider, Snapshot, User
from tidegate.model.tenant import BATCH, Tenant
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.ports import Journal, Observer
from tidegate.providers.dialects import DIALECTS
from tidegate.zones import zone_of

_REMEMBERED: Final = 100_000  # callers


class Gate:
    """One worker's: of an isolated namespace, or of all others."""

    __slots__ = (
        "_accounts", "_clock", "_declared", "_gone", "_keyless", "_managed", "_tiers", "_who", "book", "clients",
        "line", "providers",
    )  # fmt: skip

    def __init__(
        self,
        snapshot: Snapshot,
        clock: VirtualClock,
        journal: Journal,
        observer: Observer,
        luck: Callable[[], float],
        opened: Callable[[Provider], LedgerProvider],
        gone: frozenset[str] = frozenset(),
        managed: Iterable[Change] = (),
    ) -> None:
        """`managed`: who may call beside the file. `gone`: keys that it had and has no more.

        Any other key was made at run time, and has no limits that are known.
        """
        self._gone = gone
        self._clock = clock
        self._accounts = Accounts(zone_of)
        self._declared = declared(snapshot)
        self._managed = Roster()
        for one in managed:
            self._managed.apply(_known(one))
        self._who: dict[tuple[str, str, str, str, bool], Principal | None] = {}
        self.providers: dict[str, LedgerProvider] = {}
        self._tiers = {tier.name for tier in snapshot.tiers}

        def transport(provider: Provider) -> LedgerProvider:
            made = self.providers[provider.name] = opened(provider)
            return made

        lanes = Lanes(clock, snapshot.queue.max_calls, luck)
        self.book = RoutingTable(snapshot, lanes, transport).adopt()
        for plan in self.book.unrouted.values():
            known = plan.targets[0].ways
            known.clear()
            known.update(ways(clock))
        self.clients = Clients(snapshot, self._managed, self._limits)
        self._keyless = self.clients.open
        self.line = Line(clock, journal, observer, luck)

    def _limits(self, namespace: Namespace | None, user: User | None, key: ClientKey) -> Limits | None:
        return self._accounts.limits_of(namespace, user, key, self._clock.wall())

    def plan(self, arrival: Arrival) -> Plan | None:
        """By which it is served, None: nobody serves it."""
        if not arrival.model:
            return self.book.unrouted.get(arrival.plan)
        return next((plan for name in DIALECTS if (plan := self.book.plan(arrival.model, name)) is not None), None)

    def who(self, arrival: Arrival) -> Principal | None:
        """Who called; None: the policy lets in nobody without a key. O(1)."""
        name = arrival.namespace, arrival.user, arrival.key, arrival.tier, bool(arrival.job)
        if name not in self._who:
            if len(self._who) >= _REMEMBERED:
                self._who.clear()
            self._who[name] = self._found(arrival)
        return self._who[name]

    def _found(self, arrival: Arrival) -> Principal | None:
        if not arrival.key:
            if arrival.namespace == DRILL:
                return Principal("", Tenant(DRILL, BATCH))
            return self.clients.anybody if self._keyless else None
        if self._declared.by_name(arrival.key) is None and self._managed.by_name(arrival.key) is None:
            if arrival.key in self._gone:
                return None
            self._manage(arrival)
        client = self.clients.by_name(arrival.key)
        if client is not None and arrival.job:
            tenant = self.clients.of_jobs(client)
            return Principal(client.name, tenant, None, client.models, client.limits, space=client.space)
        return client

    def _manage(self, arrival: Arrival) -> None:
        """A key that is not the file's is one that was made at run time: it stays what it was."""
        roster, space = self._managed, arrival.namespace
        if space and space not in self._declared.tenancies and space not in roster.tenancies:
            tier = arrival.tier if arrival.tier in self._tiers and not arrival.job else "paid"
            roster.apply(PutNamespace(Namespace(space, tier)))
        if arrival.user and space:
            sources = (self._declared.tenancies.get(space), roster.tenancies.get(space))
            if not any(one is not None and arrival.user in one.users for one in sources):
                roster.apply(PutUser(space, User(arrival.user)))
        roster.apply(_known(PutKey(space, ClientKey(arrival.key, b"", user=arrival.user if space else ""))))


def _known(one: Change) -> Change:
    """A key is known by its digest: one that nobody can show stands for it."""
    if not isinstance(one, PutKey):
        return one
    return PutKey(one.namespace, replace(one.key, digest=sha256(one.key.name.encode()).digest()))
