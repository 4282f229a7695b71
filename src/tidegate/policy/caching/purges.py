"""What was purged: an answer that was stored at such a moment or before is not there any more, if a selector names it.

Nothing is searched: each answer is held against the selectors when it is looked at. Pure. Moments are wall-clock
microseconds.
"""

from typing import Final

from tidegate.model.cached import CacheEntry

MOST: Final = 10_000  # selectors that are kept apart

_ALL: Final = "all"
_KEY: Final = "key"
_TAG: Final = "tag"
_MODEL: Final = "model"
_STRATEGY: Final = "strategy"
_NAMESPACE: Final = "namespace"
_SOURCE: Final = "source"
WHATS: Final = (_ALL, _KEY, _TAG, _MODEL, _STRATEGY, _NAMESPACE, _SOURCE)
_NEVER: Final = -1

Name = tuple[str, str, str]  # what, namespace ("" = any), value


class Selector:
    """Which answers are purged. Nobody changes one.

    `value`: of `key` its hexadecimal digits, of `source` the number of the call that made the answer, of `model` the
    model with or without its provider, of `all` nothing. `namespace` bounds each of them to one tenant, "" = all.
    """

    __slots__ = ("namespace", "value", "what")

    def __init__(self, what: str, value: str = "", namespace: str = "") -> None:
        """Raises `ValueError` for what names nothing."""
        if what not in WHATS:
            raise ValueError(f"purge by '{what[:32]}' is not known. Use {', '.join(WHATS)}.")
        if not value and what != _ALL:
            raise ValueError(f"purge by {what} needs a value.")
        if what == _NAMESPACE and namespace not in {"", value}:
            raise ValueError(f"no answer is of the namespaces '{value}' and '{namespace}'.")
        self.what = what
        self.value = "" if what == _ALL else value.lower() if what == _KEY else value
        self.namespace = namespace

    def name(self) -> Name:
        """What it is found by. A namespace is all that is in it."""
        if self.what == _NAMESPACE:
            return _ALL, self.value, ""
        return self.what, self.namespace, self.value


class Purges:
    """The selectors of all purges, each with its latest moment.

    At most `most` are kept. When there are more, the older half is folded: what is bounded to a tenant becomes a purge
    of all that is the tenant's, up to the youngest of them; and where that leaves too many, of everything. So too much
    is purged, never too little, and nothing more than before where answers of that age have ended anyway.
    """

    __slots__ = ("_floor", "_moments", "_most", "_whats")

    def __init__(self, most: int = MOST) -> None:
        """`most` ≥ 2."""
        self._most = most
        self._floor = _NEVER  # whatever was stored until then is gone
        self._moments: dict[Name, int] = {}
        self._whats: set[str] = set()

    def __len__(self) -> int:
        """Selectors that are kept."""
        return len(self._moments)

    def add(self, selector: Selector, wall: int) -> None:
        """What it names is gone, if it was stored up to this moment. O(1), with a fold O(`most` log `most`)."""
        name = selector.name()
        if name == (_ALL, "", ""):
            self._raise(wall)
            return
        if wall <= self._floor or wall <= self._moments.get(name, _NEVER):
            return
        self._moments[name] = wall
        self._whats.add(selector.what)
        if len(self._moments) > self._most:
            self._fold()

    def gone(self, entry: CacheEntry) -> bool:
        """Whether a purge has met this answer. O(its labels); one test while nothing was ever purged."""
        stored = entry.stored_us
        if stored <= self._floor:
            return True
        return bool(self._moments) and self._named(entry, stored)

    def _named(self, entry: CacheEntry, stored: int) -> bool:
        labels, whats = entry.labels, self._whats
        space = labels.namespace
        if self._met(_ALL, space, "", stored):
            return True
        if _STRATEGY in whats and self._met(_STRATEGY, space, labels.strategy, stored):
            return True
        if _MODEL in whats:
            model = labels.model
            if self._met(_MODEL, space, model, stored) or self._met(_MODEL, space, model.partition("/")[2], stored):
                return True
        if _TAG in whats:
            for tag in labels.tags:
                if self._met(_TAG, space, tag, stored):
                    return True
        if _KEY in whats and self._met(_KEY, space, entry.key.hex(), stored):
            return True
        return _SOURCE in whats and self._met(_SOURCE, space, str(entry.call_id), stored)

    def _met(self, what: str, space: str, value: str, stored: int) -> bool:
        """By a selector of its tenant, or of all."""
        moments = self._moments
        return stored <= moments.get((what, space, value), _NEVER) or stored <= moments.get((what, "", value), _NEVER)

    def _raise(self, wall: int) -> None:
        if wall <= self._floor:
            return
        self._floor = wall
        self._moments = {name: moment for name, moment in self._moments.items() if moment > wall}

    def _fold(self) -> None:
        """The older half become purges of their tenants, or of everything."""
        oldest = sorted(self._moments.items(), key=_moment)[: len(self._moments) // 2]
        for (what, space, value), moment in oldest:
            if space and what != _ALL:
                del self._moments[what, space, value]
                whole = _ALL, space, ""
                if moment > self._moments.get(whole, _NEVER):
                    self._moments[whole] = moment
        if 8 * len(self._moments) > 7 * self._most:  # else it would have to be done again too soon
            self._raise(oldest[-1][1])


def _moment(item: tuple[Name, int]) -> int:
    return item[1]
