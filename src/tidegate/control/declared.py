"""What the configuration file in force declares, as far as the control process has to know it.

Only these fields of the snapshot are read: what providers are called with never becomes an object of this process.
"""

import msgspec

from tidegate.model.admin import AdminSettings
from tidegate.model.alerts import AlertSettings
from tidegate.model.cluster import ClusterSettings
from tidegate.model.drills import DrillSettings
from tidegate.model.entitlements import ClientKey, Isolation, LedgerSettings, Namespace, TierEntry
from tidegate.model.jobs import JobSettings
from tidegate.model.snapshot import BUILT_IN_TIERS, Limits
from tidegate.model.telemetry import TelemetrySettings


class DeclaredScope(msgspec.Struct, frozen=True):
    """What a provider allows a scope, by model; its keys are not read."""

    name: str
    limits: dict[str, Limits] = {}
    max_concurrent: int = 0  # 0 = no such bound


class DeclaredProfile(msgspec.Struct, frozen=True):
    """Of a provider's profile, what it is spoken to in, and what it is called."""

    dialect: str = ""
    name: str = ""


class DeclaredProvider(msgspec.Struct, frozen=True):
    """A provider's scopes."""

    name: str
    scopes: tuple[DeclaredScope, ...] = ()
    base_url: str = ""
    profile: DeclaredProfile = DeclaredProfile()


class Declared(msgspec.Struct, frozen=True):
    """The part of `snapshot.Snapshot` that says who may call, and where records end up."""

    version: int = 0
    clients: tuple[ClientKey, ...] = ()
    namespaces: tuple[Namespace, ...] = ()
    tiers: tuple[TierEntry, ...] = BUILT_IN_TIERS
    ledger: LedgerSettings = LedgerSettings()
    jobs: JobSettings = JobSettings()
    warnings: tuple[str, ...] = ()
    providers: tuple[DeclaredProvider, ...] = ()
    cluster: ClusterSettings = ClusterSettings()
    shared_version: int = 0
    alerts: AlertSettings = AlertSettings()
    drills: DrillSettings = DrillSettings()
    telemetry: TelemetrySettings = TelemetrySettings()
    admin: AdminSettings = AdminSettings()
    isolated: tuple[Isolation, ...] = ()

    def namespace(self, name: str) -> Namespace | None:
        """The namespace of that name; O(namespaces)."""
        return next((item for item in self.namespaces if item.name == name), None)

    def isolates(self, name: str) -> bool:
        """Has the namespace of that name a worker of its own? O(isolated namespaces)."""
        return any(item.namespace == name for item in self.isolated)


_DECODER = msgspec.msgpack.Decoder(Declared)


class Declaration:
    """The newest that the supervisor handed over; `now` is replaced as a whole, so any thread may read it."""

    __slots__ = ("now",)

    def __init__(self, now: Declared | None = None) -> None:
        self.now = now or Declared()

    def take(self, snapshot: bytes) -> None:
        """Another one is in force. O(snapshot). Raises `msgspec.ValidationError` when it does not fit this version."""
        self.now = _DECODER.decode(snapshot)
