"""Who calls: keys, their organisations, and the meter of each organisation at each model."""

from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from tidegate.twin.customs import customs, plain
from tidegate.twin.ledger import Entry, Ledger
from tidegate.twin.meter import Meter
from tidegate.twin.settings import Limits, Organisation, Rules, Settings

MAX_KEYS: Final = 1_000_000

Change = tuple[int | None, int | None, int | None]  # RPM, TPM and OTPM; None leaves it


@dataclass(slots=True)
class Seat:
    """One key at one model: its limiter, and where its calls are booked."""

    key: str
    organisation: str
    model: str
    meter: Meter
    entry: Entry


class Directory:
    """All keys, organisations and meters; look-ups are O(1), a change of limits walks the meters."""

    __slots__ = ("_changed", "_known", "_meters", "_rules", "_seats", "_settings", "ledger")

    def __init__(self, settings: Settings, now: int) -> None:
        self._settings = settings
        self._rules = customs(settings)
        self._known = {key: one for one in settings.organisations for key in one.keys}
        self._meters: dict[tuple[str, str], tuple[Meter, Organisation]] = {}
        self._seats: dict[tuple[str, str], Seat] = {}
        self._changed: dict[tuple[str, str], Change] = {}  # by ("", model) for everybody, or (organisation, model)
        self.ledger = Ledger(now)

    def organisation(self, key: str) -> Organisation | None:
        """Whose key this is; None when such a key is refused."""
        known = self._known.get(key)
        if known is not None:
            return known
        if self._settings.unknown_keys != "own" or len(self._known) >= MAX_KEYS:
            return None
        own = Organisation(f"org-{sha256(key.encode()).hexdigest()[:24]}", (key,))
        self._known[key] = own
        return own

    def seat(self, key: str, owner: Organisation, model: str, now: int) -> Seat:
        """The seat of a key at a model."""
        seat = self._seats.get((key, model))
        if seat is None:
            place = (owner.name, model)
            if place not in self._meters:
                limits = self.limits(owner, model)
                changed = limits != self._published(owner, model)
                self._meters[place] = Meter(limits, self.rules(model), now, changed=changed), owner
            seat = Seat(key, owner.name, model, self._meters[place][0], self.ledger.entry(key, model))
            self._seats[key, model] = seat
        return seat

    def rules(self, model: str) -> Rules:
        """The rules by which calls of a model are limited."""
        return self._rules[model]

    def models(self) -> tuple[str, ...]:
        """All that have a limit: models, and what Azure deploys of them as `azure/…`."""
        return tuple(self._rules)

    def limits(self, owner: Organisation | None, model: str) -> Limits:
        """The limits in force of an organisation at a model; of a model itself without one."""
        limits = self._published(owner, model)
        for name in ("", owner.name) if owner is not None else ("",):
            change = self._changed.get((name, model))
            if change is not None:
                limits = limits.changed(*change)
        return limits

    def _published(self, owner: Organisation | None, model: str) -> Limits:
        """The limits as configured: the organisation's, the model's, or the twin's."""
        by_model = self._settings.model_limits
        limits = by_model.get(model) or by_model.get(plain(model), self._settings.limits)
        return limits if owner is None else owner.limits.get(model) or owner.limits.get(plain(model), limits)

    def relimit(self, key: str | None, model: str, change: Change, now: int) -> None:
        """Change limits at once: of one key's organisation, or of everybody, also of those yet to come."""
        owner = self.organisation(key) if key is not None else None
        name = owner.name if owner is not None else ""
        for place in list(self._changed):
            if place == (name, model) or (not name and place[1] == model):
                self._changed[place] = _later(self._changed[place], change)
        self._changed.setdefault((name, model), change)
        for (whose, which), (meter, holder) in self._meters.items():
            if which == model and name in {"", whose}:
                meter.relimit(self.limits(holder, model), now)

    def reset(self, now: int) -> None:
        """Empty books and full windows. Limits stay as they are."""
        self.ledger = Ledger(now)
        self._seats.clear()
        for meter, _ in self._meters.values():
            meter.refill(now)


def _later(old: Change, new: Change) -> Change:
    return tuple(before if after is None else after for before, after in zip(old, new, strict=True))  # type: ignore[return-value]
