"""The words between workers and the state that they share: what they hold, what they ask for, what they are given.

A *fund* is what the whole cluster may spend together: a lane's quota, a strategy's own limits, one tenant's limits. It
has one to four *dimensions* (requests, tokens, …), kept in one value of Redis, on one slot. A worker holds a *lease* of
it: units that were taken from the fund before anybody spends them. A *member* is a worker of the cluster.

Units are whole requests, tokens or billionths of money; times are microseconds of the server's clock, ages are
microseconds before the moment at which the server reads them. Encoded as msgpack arrays, which Lua reads as they are.
"""

from typing import Final

import msgspec

from tidegate.model.record import Record

BUCKET: Final = 0  # refills continuously, `limit` in `window_us`, and holds no more than `limit` less jitter
LOG: Final = 1  # never more than `limit` in any stretch of `window_us + jitter_us`
SLOTS: Final = 2  # `limit` at a time: what is taken is given back
SUM: Final = 3  # `limit` until `period`, then from zero again

OK: Final = 0
LOST: Final = 1  # the fund does not know what this member was told: nothing was done, `Restore` first
LATE: Final = 2  # it came after `not_after`: nothing was done

SOCKET: Final = "valkey.sock"  # in the state directory: the supervisor's own server, where none is configured
DIRECTORY: Final = "valkey"  # in the state directory: what that server keeps

FREE: Final = 1_000_000  # of shares and what is open: parts per million


class ClusterSettings(Record, frozen=True):
    """Where the shared state is, and what becomes of calls without it."""

    url: str = ""  # redis:// rediss:// unix:// redis+sentinel:// redis+cluster://, "" = each worker by itself
    prefix: str = "tidegate"  # of all keys; one cluster, one prefix
    node: str = ""  # this machine's name in the cluster; members are NODE/WORKER
    timeout_us: int = 150_000  # of one exchange, everything together: place in the pool, sending, answer
    on_state_loss: str = "local"  # local: its share of each limit | closed: refuse | open: no shared limit
    share_us: int = 600_000_000  # how long a member that hears nothing may go on with its share
    region: str = ""  # its name among regions, "" = there is one
    configuration: str = "shared"  # with the other nodes, in force on all or none | own: each node its own file


class Dim(msgspec.Struct, array_like=True):
    """One dimension of a fund, and what a member says of it. The configuration is the asking member's."""

    kind: int
    limit: int  # 0 = not limited: it holds nobody back
    window_us: int = 0
    jitter_us: int = 0
    spent: int = 0  # of its lease since its last exchange: it counts in a LOG from now on
    returned: int = 0  # of its lease, given back unspent
    corrections: list[tuple[int, int]] = []  # (age, by how much more): charges that were other than they were taken
    target: int = 0  # what it would like to hold beyond what waits, while nobody waits anywhere
    shown: int = -1  # what a reply of the provider showed to be left, -1 = nothing new
    shown_age_us: int = 0  # when the call of that reply was sent
    noise: int = 0  # a difference to `shown` of so much is nobody's use
    drained: bool = False  # the provider refused though something seemed left: nothing is left
    period: int = 0  # SUM: which period, by its end in microseconds since 1970


class Demand(msgspec.Struct, array_like=True):
    """Calls that wait at a member: the next one of one tenant, and how many like it stand behind."""

    rank: int  # of the tier, the lowest goes first; -1 = a boost
    flow: int  # whose: 48 bits of a digest of tier and tenant
    weight_milli: int
    units: list[int]  # of the next call, by dimension
    calls: int = 1
    floor: int = 0  # units of dimension 1 that are to be left after it, and two of dimension 0: trunk reservation


class RecoveryState(msgspec.Struct, array_like=True):
    """What a member knows of one dimension: enough to put the fund back where it stood."""

    level: int = 0  # BUCKET: units left, leases counted as spent; SUM: spent in `period`; SLOTS: what this member uses;
    # LOG: units of the last slot that were leased: used, but nobody knows when they will leave the log
    slots: list[tuple[int, int]] = []  # LOG, as it was told: (age, units), the oldest first, at most `SLOTS_OF_LOG`
    own: list[tuple[int, int]] = []  # what this member spent since on its share, and nobody was told: (age, units)
    period: int = 0  # SUM
    given: list[tuple[int, int]] = []  # LOG: what it was granted since `slots` were told: (age, units);
    # SUM: what it told as spent since `spent` was told: (`ExchangeReply.used` then, units)
    spent: int = -1  # SUM: as `level`, leases left out; -1 = it was told before all who remember had told, or never
    used: int = -1  # SUM: `ExchangeReply.used` when `spent` was told


class ExchangeRequest(msgspec.Struct, array_like=True):
    """One exchange. The same `seq` again is the same exchange: it is done once, and answered as the first time."""

    member: str
    incarnation: int  # of the member's process: another one has forgotten what it held, which counts as spent
    seq: int  # from 1 in each incarnation and fund
    epoch: int  # of the fund as it was told last, 0 = nothing was told yet
    not_after: int  # server's microseconds, 0 = whenever
    lease_us: int  # what it holds is void, and counts as spent, when it says nothing for so long
    open_ppm: int  # the part of refills that members which can be heard share: less what the lost ones may use
    state: int  # epoch of the membership (`Beat`)
    dims: list[Dim]
    demands: list[Demand] = []  # by rank, then by what was served to whom; at most `DEMANDS`
    remember: bool = False  # tell `ExchangeReply.memory`
    restore: list[RecoveryState] | None = None  # what it knew, and what it has spent on its share since, by dimension
    leaving: bool = False


class ExchangeReply(msgspec.Struct, array_like=True):
    """What a fund answers."""

    status: int
    now: int  # server's microseconds
    epoch: int
    granted: list[int]  # units, by dimension: added to the lease
    left: list[int]  # units left in the fund for anybody, by dimension; negative in debt
    lapsed: bool = False  # its lease was void: what it returned or spent of it had counted as spent
    wait_us: int = -1  # when to ask again for what was not granted; -1 = nothing was missing
    ahead: list[tuple[int, int, int]] = []  # what waits at others, by rank: (rank, calls, units of dimension 1)
    flows: list[tuple[int, int, int]] = []  # it asked for: units of dimension 1 granted so far anywhere, and now here
    used: list[int] = []  # units spent so far, by dimension, by anybody: it only grows
    memory: list[RecoveryState] | None = None
    limits: list[int] = []  # the limits in force, by dimension: the lowest of what members say that can be heard


class Beat(msgspec.Struct, array_like=True):
    """A member says that it is there. Once every `BEAT_US`."""

    member: str
    incarnation: int
    not_after: int
    share_us: int  # how long it may go on unheard
    back: bool = False  # everything that it spent on its share is posted: it is no lost one any more
    leaving: bool = False
    share_ppm: int = 0  # as its last `Stand` said: a share counts as smaller when its holder says so, and a
    open_ppm: int = 0  # membership that was lost learns what members may use who have not come back yet
    members: int = 0


class Stand(msgspec.Struct, array_like=True):
    """How the membership stands, for one member."""

    status: int  # OK | LATE
    now: int
    state: int  # another one: everybody was lost for a while, funds begin anew
    share_ppm: int  # what the member may use of every refill when it hears nothing any more
    open_ppm: int
    members: int  # that can be heard, this one included
    lost: bool  # this member counted as lost, and does until it says `back`


SLOTS_OF_LOG: Final = 600  # a window's log has so many slots at most
DEMANDS: Final = 32
