"""Who may use the gate, for how much, and where that is written down: the snapshot's records of 'who' and 'how much'.

Units are those of `model/snapshot.py`; money is in billionths (nano) of the house currency.
"""

from tidegate.model.bodies import BodyPolicy
from tidegate.model.record import Record


class Allowance(Record, frozen=True):
    """What a namespace, user, key or model of one may use. 0 = no such bound; money in billionths.

    Days and months are calendar ones in the namespace's time zone.
    """

    rpm: int = 0
    tpm: int = 0
    concurrent: int = 0  # calls in flight
    tokens_day: int = 0
    nano_day: int = 0
    nano_month: int = 0
    on_loss: str = ""  # of the cluster's shared state: local | closed | open, "" = as the cluster says
    on_loss_of_budget: str = ""


class ClientKey(Record, frozen=True, omit_defaults=True, gc=False):
    """A key that applications present to the gate; only its SHA-256 is kept. `name` is unique and stands in records.

    `signing_key` is derived from the key (`model/keys.py`); empty where signatures are not taken. Moments are
    wall-clock microseconds since 1970, 0 = none.
    """

    name: str
    digest: bytes
    user: str = ""
    models: tuple[str, ...] = ()  # models and strategies that it may call, `*` at an end = all that begin so; () = all
    addresses: tuple[str, ...] = ()  # networks in CIDR form that it may be used from; () = all
    signing: str = "off"  # off | optional | required
    signing_key: bytes = b""
    not_before_us: int = 0
    expires_us: int = 0
    allowance: Allowance = Allowance()


class User(Record, frozen=True, omit_defaults=True):
    """Somebody of a namespace; the keys that name it share its allowance."""

    name: str
    models: tuple[str, ...] = ()
    allowance: Allowance = Allowance()


class TierEntry(Record, frozen=True):
    """A class of service, as `tenant.Tier`. The lowest rank goes first; equal ranks share by weight."""

    name: str
    rank: int
    weight_milli: int = 1_000
    smoothed: bool = True
    reserve: bool = True


class Namespace(Record, frozen=True):
    """A tenant with the keys that belong to it. `weight_milli` is in thousandths, within its tier."""

    name: str
    tier: str = "paid"
    weight_milli: int = 1_000
    clients: tuple[ClientKey, ...] = ()
    users: tuple[User, ...] = ()
    models: tuple[str, ...] = ()  # as of a key
    allowance: Allowance = Allowance()
    by_model: dict[str, Allowance] = {}  # for calls that ask for this model or strategy
    timezone: str = "UTC"  # IANA name
    on_revoked: str = "finish"  # streams of a key that is revoked: finish | cut
    stored: bool = False  # may reach what providers keep for the whole organisation: files, batches, threads
    bodies: BodyPolicy | None = None  # what is kept of what its calls say; None = as the file says for all


class AddressLimits(Record, frozen=True):
    """What is allowed by the head of a request alone, before its body is read. 0 = no such bound.

    `*_burst` requests at once, then `*_rpm` a minute. Addresses of IPv6 count by their first `prefix6` bits.
    """

    address_rpm: int = 0
    address_burst: int = 0
    key_rpm: int = 0  # of one key at one address
    key_burst: int = 0
    prefix6: int = 64
    failures: int = 10  # failed authentications of an address in a minute, before it is slowed
    trusted_proxies: tuple[str, ...] = ()  # networks whose `Forwarded` and `X-Forwarded-For` are believed
    user_rpm: int = 0  # of one user, by whatever key and from wherever; a key of no user is one of its own
    user_burst: int = 0


class SigningSettings(Record, frozen=True):
    """RFC 9421 signatures: how far clocks may be apart, which is also how long a nonce is remembered."""

    skew_us: int = 300_000_000
    max_nonces: int = 1_000_000


class LedgerSettings(Record, frozen=True):
    """Where records end up, and for how long. `database` is an SQLAlchemy URL, "" = SQLite in the state directory."""

    database: str = ""
    currency: str = "USD"
    keep_days: int = 90  # calls and attempts; hourly sums stay
    keep_audit_days: int = 730
    on_journal_failure: str = "stop"  # when a record cannot be written: stop | continue
    alarm_bytes: int = 268_435_456  # of journal that has not reached the database
    keep_bodies_bytes: int = 1_073_741_824  # of bodies; the oldest go
    keep_minutes_days: int = 3  # of what lanes used by the minute
    keep_trends_days: int = 400  # of what they used by the hour, and of their limits


class Isolation(Record, frozen=True):
    """A worker for one namespace: its own port, and at most `cpu_permille` of one CPU (0 = no bound)."""

    namespace: str
    port: int
    cpu_permille: int = 0
