"""Places that refusals book, so that a `Retry-After` is true.

Who is refused is told when it could be served, and a place is kept for it: newcomers are served behind the places that
are due before them. A place is redeemed at or after its time (a little early is early enough); who does not come
within `grace` loses it. They cover a call when it costs up to a quarter more. Since not everybody comes back, what
stands ahead is weighted by the share of places that were redeemed of late, by the calls that they were named to where
those are known again.

Where many clients share a key, the place is the call's that was refused: who comes again says the same again, and is
known by its body, of which a place keeps a hash. For `CLAIM_US` no other body takes it; then any call of its tenant
may, as it may take at once what was booked without a body. Of these the tokens count, not the number: a call takes as
much as it costs, the earliest first, and what it leaves of one stays, so that where large and small calls come in any
order nothing is lost. Where calls cannot be known again all places are anybody's who is of their tenant, its own first:
where hardly any is claimed by its own call, because each try has another body, and where workers share the quota, for
who comes back to another one is unknown there. Nothing is hashed but the body of who is refused, and of who comes while
its tenant has places.

Bounded in all, and for each tenant by its part of an eighth of what is free (dynamic thresholds: Choudhury & Hahne,
1998), so that who floods is told times by what is so, not by what was long ago. Places are counted in slots of 200 ms,
at most `HORIZON_US` ahead, in two Fenwick trees (Fenwick 1994) for each rank of tiers that exist only while it has a
place: `book`, `redeem` and the sums are O(log slots), `first_free` is O(log² slots).
"""

from bisect import insort

import msgspec

from tidegate.policy.schedule.face import Ahead

SLOT_US = 200_000
SLOTS = 8_192
GRACE_US = 5_000_000
EARLY_US = 100_000  # clocks and seconds are rounded on the way
CLAIM_US = 3_000_000  # who rounds to whole seconds and comes within one more is there by then
LARGER_PERMILLE = 250
MAX_PLACES = 32_768
MAX_PER_TENANT = 100  # whatever is free
LOOKED_AT = 8  # places of a tenant that one call can redeem together
HORIZON_US = SLOT_US * (SLOTS - 2) - GRACE_US  # with the default grace
_PART = 8  # of the places that are free, one tenant alone may hold that part
_LAST_RANK = 1 << 30
_REMEMBERED = 32  # places over which the share of redeemed ones is averaged
_KNOWN_AGAIN = 32  # places of a tenant, over which the share of those is averaged that their own calls claimed
FEW = 0.125  # of those: then places are anybody's


class Appointment(msgspec.Struct, eq=False):
    """A place: so many tokens from `due` on."""

    tenant: str
    cost: int
    due: int
    rank: int = 0  # of its tier
    mark: int = 0  # of the call that it was named to; 0 = any of its tenant
    named: bool = False  # it had such a mark, and may have been left to others since


class _Own:
    """One tenant's places, by time: all, and those of each call that has some."""

    __slots__ = ("known", "marked", "places", "weight")

    def __init__(self, weight: int) -> None:
        self.places: list[Appointment] = []
        self.marked: dict[int, list[Appointment]] = {}
        self.known = 1.0  # the part of its places that their own calls claim, of late
        self.weight = weight

    def add(self, place: Appointment) -> None:
        insort(self.places, place, key=_due)
        if place.mark:
            insort(self.marked.setdefault(place.mark, []), place, key=_due)

    def forget(self, place: Appointment) -> None:
        """Its call need not be known any more."""
        if place.mark:
            alike = self.marked[place.mark]
            alike.remove(place)
            if not alike:
                del self.marked[place.mark]
            place.mark = 0

    def open_to(self, mark: int, now: int, *, scattered: bool) -> list[Appointment]:
        """Places whose time has come, as far as one call can redeem them: its own first. O(`LOOKED_AT`)."""
        found = self.marked.get(mark, ()) if mark else ()
        mine = [place for place in found[:LOOKED_AT] if place.due <= now + EARLY_US]
        loose, claimed = scattered or self.known < FEW, now - CLAIM_US
        for place in self.places[:LOOKED_AT]:
            if place.due > now + EARLY_US or len(mine) >= LOOKED_AT:
                break
            if (loose or not place.mark or place.due < claimed) and place not in mine:
                mine.append(place)
        return mine

    def claimed(self, *, by_own: bool) -> None:
        """A place that was a certain call's is over."""
        self.known += (by_own - self.known) / _KNOWN_AGAIN


NOTHING = Ahead(0, 0)


class Appointments:
    """The places of one pool and model."""

    __slots__ = (
        "_grace_us",
        "_last",
        "_max_per_tenant",
        "_max_places",
        "_share",
        "_sums",
        "_swept",
        "_tenants",
        "_weight",
        "kept",
        "scattered",
    )

    def __init__(
        self, max_places: int = MAX_PLACES, max_per_tenant: int = MAX_PER_TENANT, grace_us: int = GRACE_US
    ) -> None:
        """`grace_us` is how long after its time a place is kept, at most a minute."""
        self._max_places = max_places
        self._max_per_tenant = max_per_tenant
        self._grace_us = grace_us
        self._tenants: dict[str, _Own] = {}
        self._weight = 0  # of the tenants that have places
        self.kept = 0  # places; a plain attribute, because every call asks
        self.scattered = False  # who comes back may do so at another worker
        self._share = 1.0
        self._sums: dict[int, _Slots] = {}  # by rank
        self._swept = 0  # the first slot whose places may still be kept
        self._last = 0

    def __len__(self) -> int:
        """How many places are kept."""
        return self.kept

    @property
    def weight(self) -> int:
        """Of all tenants that have places, in thousandths."""
        return self._weight

    @property
    def share(self) -> float:
        """The part of the places that are redeemed, of late: 0 to 1."""
        return self._share

    def book(
        self,
        tenant: str,
        cost: int,
        due: int,
        now: int,
        rank: int = 0,
        weight: int = 1_000,
        rivals: int = 1_000,
        body: object = None,
    ) -> bool:
        """Keep a place of `cost` tokens from `due` on. False when there are too many, or it is too far away.

        `weight` of the tenant, and of all who compete with it, it included, in thousandths; `body`: what the call says,
        where that is known to be said again.
        """
        self._sweep(now)
        own = self._tenants.get(tenant)
        free = self._max_places - self.kept
        most = max(self._max_per_tenant, free * weight // (_PART * max(weight, rivals)))
        if free <= 0 or (own is not None and len(own.places) >= most):
            return False
        if due < now or due > now + SLOT_US * (SLOTS - 2) - self._grace_us:
            return False
        if own is None:
            own = self._tenants[tenant] = _Own(weight)
            self._weight += weight
        mark = _mark(body)
        place = Appointment(tenant, cost, due, rank, mark, mark != 0)
        own.add(place)
        sums = self._sums.get(rank)
        if sums is None:
            sums = self._sums[rank] = _Slots()
        sums.add(place)
        self.kept += 1
        self._last = max(self._last, due)
        return True

    def credit(self, tenant: str, now: int, body: object = None) -> int:
        """Tokens of the tenant's places whose time has come, as far as a call that says so can redeem them."""
        if not self.kept:
            return 0
        self._sweep(now)
        own = self._tenants.get(tenant)
        if own is None:
            return 0
        tokens = 0
        for place in own.open_to(_mark(body), now, scattered=self.scattered):
            tokens += place.cost
        return tokens

    def due(self, tenant: str, cost: int, now: int, body: object = None) -> bool:
        """Whether the places whose time has come cover such a call."""
        return covered(cost, self.credit(tenant, now, body))

    def redeem(self, tenant: str, cost: int, now: int, body: object = None) -> bool:
        """Take what has come due, up to what the call costs: it is kept no more. True when it covers the call."""
        self._sweep(now)
        own = self._tenants.get(tenant)
        if own is None:
            return False
        credit, left, mark = 0, cost, _mark(body)
        for place in own.open_to(mark, now, scattered=self.scattered):
            if left <= 0:
                break
            credit += place.cost
            # Else its own call did not come, and left it to others, who would have come anyhow.
            returned = not place.named or (mark != 0 and place.mark == mark) or self.scattered
            if place.mark:
                own.claimed(by_own=place.mark == mark)
            if place.cost <= left or (mark and place.mark == mark):  # what it needs less than it did is nobody's
                left -= place.cost
                self._drop(place, redeemed=returned)
            else:
                sums = self._sums[place.rank]
                sums.remove(place)
                own.forget(place)
                place.cost -= left
                sums.add(place)
                left = 0
        return covered(cost, credit)

    def booked_before(self, when: int, now: int, rank: int = _LAST_RANK) -> Ahead:
        """What is due until `when` (to the end of its slot) and not redeemed yet, as far as it is likely to come.

        Of the tiers up to this rank.
        """
        if not self.kept:
            return NOTHING
        self._sweep(now)
        requests, tokens = self._until(when // SLOT_US, rank)
        return Ahead(round(requests * self._share), round(tokens * self._share))

    def span(self, tenant: str) -> tuple[int, int] | None:
        """When the first and the last place of this tenant are due."""
        own = self._tenants.get(tenant)
        return (own.places[0].due, own.places[-1].due) if own is not None else None

    def first_free(self, now: int, rank: int, least: int, most: int, token_us: float) -> int:
        """From when on, after `least`, a call is before nobody's place: microseconds from `now`, `most` or less.

        The places take `token_us` a token, all of them together until `most`.
        """
        share_us = token_us * self._share
        low, high = (now + least) // SLOT_US, (now + most) // SLOT_US
        whole = self._until(self._swept + SLOTS - 1, rank)[1]
        while low < high:
            middle = (low + high) // 2
            if (middle + 1) * SLOT_US - now > most - (whole - self._until(middle, rank)[1]) * share_us:
                high = middle
            else:
                low = middle + 1
        behind = most - round((whole - self._until(low, rank)[1]) * share_us)
        return min(most, max(least, behind))

    def _until(self, slot: int, rank: int) -> tuple[int, int]:
        requests = tokens = 0
        for other, sums in self._sums.items():
            if other <= rank:
                more, more_tokens = sums.until(self._swept, slot)
                requests += more
                tokens += more_tokens
        return requests, tokens

    def horizon(self, now: int) -> int:
        """When the last place is due; `now` without one. An upper estimate: a place redeemed early still counts."""
        self._sweep(now)
        return max(now, self._last) if self.kept else now

    def _sweep(self, now: int) -> None:
        """Drop what nobody came for. Amortised O(1) for each place and slot."""
        first = (now - self._grace_us) // SLOT_US
        if first <= self._swept:
            return
        for sums in tuple(self._sums.values()):
            for slot in range(self._swept, min(first, self._swept + SLOTS)):
                for place in sums.at(slot):
                    if place.mark:
                        self._tenants[place.tenant].claimed(by_own=False)
                    self._drop(place, redeemed=False)
        self._swept = first

    def _drop(self, place: Appointment, *, redeemed: bool) -> None:
        own = self._tenants[place.tenant]
        own.places.remove(place)
        own.forget(place)
        if not own.places:
            del self._tenants[place.tenant]
            self._weight -= own.weight
        self._share += (redeemed - self._share) / _REMEMBERED
        self.kept -= 1
        sums = self._sums[place.rank]
        sums.remove(place)
        if not sums.count:
            del self._sums[place.rank]


class _Slots:
    """The places by slot, with sums over any row of slots. A ring: slot `n` stands at `n % SLOTS`."""

    __slots__ = ("_places", "_requests", "_tokens", "count")

    def __init__(self) -> None:
        self.count = 0
        self._places: dict[int, dict[Appointment, None]] = {}
        self._requests = [0] * (SLOTS + 1)
        self._tokens = [0] * (SLOTS + 1)

    def at(self, slot: int) -> tuple[Appointment, ...]:
        """The places of one slot."""
        return tuple(self._places.get(slot, ()))

    def add(self, place: Appointment) -> None:
        self._places.setdefault(place.due // SLOT_US, {})[place] = None
        self._count(place, 1)

    def remove(self, place: Appointment) -> None:
        slot = place.due // SLOT_US
        del self._places[slot][place]
        if not self._places[slot]:
            del self._places[slot]
        self._count(place, -1)

    def until(self, first: int, last: int) -> tuple[int, int]:
        """Requests and tokens of the slots `first` to `last`, both included."""
        if last < first:
            return 0, 0
        if last - first >= SLOTS - 1:
            return self._prefix(SLOTS)
        begin, end = first % SLOTS, last % SLOTS + 1
        skipped, counted = self._prefix(begin), self._prefix(end)
        requests, tokens = counted[0] - skipped[0], counted[1] - skipped[1]
        if end <= begin:  # the row goes over the end of the ring
            whole = self._prefix(SLOTS)
            requests, tokens = requests + whole[0], tokens + whole[1]
        return requests, tokens

    def _count(self, place: Appointment, sign: int) -> None:
        self.count += sign
        at = place.due // SLOT_US % SLOTS + 1
        cost = place.cost * sign
        while at <= SLOTS:
            self._requests[at] += sign
            self._tokens[at] += cost
            at += at & -at

    def _prefix(self, end: int) -> tuple[int, int]:
        """Sums of the first `end` places of the ring."""
        requests = tokens = 0
        while end:
            requests += self._requests[end]
            tokens += self._tokens[end]
            end &= end - 1
        return requests, tokens


def covered(cost: int, credit: int) -> bool:
    """Whether so many tokens that have come due are enough for a call."""
    return credit > 0 and cost * 1_000 <= credit * (1_000 + LARGER_PERMILLE)


def _due(place: Appointment) -> int:
    return place.due


def _mark(body: object) -> int:
    """By which a call is known again; 0 = not at all: its body went by as it came, or there was none."""
    return hash(body) if isinstance(body, bytes) else 0
