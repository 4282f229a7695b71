"""Which models and strategies somebody may call, by the names that calls ask for."""

from collections.abc import Iterable, Sequence

ALL = "*"


class Models:
    """What several lists of names allow together: that which each of them allows. `*` at an end = all that begin so."""

    __slots__ = ("_exact", "_prefixes")

    def __init__(self, lists: Sequence[Sequence[str]]) -> None:
        self._exact: list[frozenset[str]] = []
        self._prefixes: list[tuple[str, ...]] = []
        for names in lists:
            self._exact.append(frozenset(names))
            self._prefixes.append(tuple([name[:-1] for name in names if name.endswith(ALL)]))

    def allow(self, model: str) -> bool:
        """O(1) in exact names, O(prefixes) in others."""
        for exact, prefixes in zip(self._exact, self._prefixes, strict=True):
            if model not in exact and not model.startswith(prefixes):
                return False
        return True

    def names(self) -> tuple[str, ...]:
        """The same as one list, in order. O(the lists' product)."""
        both = {ALL}
        for exact in self._exact:
            both = {common for one in both for other in exact if (common := _common(one, other)) is not None}
        return tuple(sorted(both))

    def of(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are allowed."""
        return [name for name in names if self.allow(name)]


def _common(one: str, other: str) -> str | None:
    """What two names allow together; None = nothing."""
    for name, pattern in ((one, other), (other, one)):
        if name == pattern or (pattern.endswith(ALL) and name.startswith(pattern[:-1])):
            return name
    return None


def models(*lists: Sequence[str]) -> Models | None:
    """What the lists allow together; an empty one, and one with `*`, allow everything. None = everything."""
    bounded = [names for names in lists if names and ALL not in names]
    return Models(bounded) if bounded else None
