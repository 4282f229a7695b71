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

    def of(self, names: Iterable[str]) -> list[str]:
        """Those of the names that are allowed."""
        return [name for name in names if self.allow(name)]


def models(*lists: Sequence[str]) -> Models | None:
    """What the lists allow together; an empty one, and one with `*`, allow everything. None = everything."""
    bounded = [names for names in lists if names and ALL not in names]
    return Models(bounded) if bounded else None
