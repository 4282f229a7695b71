"""At which models calls may end whose names are allowed by patterns: asked for each budget, without looking at all."""

from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

Span = tuple[int, int]  # positions of names in their order: from the first to behind the last


class Names:
    """Names in their order. Patterns are names, or beginnings of names with `*` behind them."""

    __slots__ = ("_sorted",)

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._sorted)

    def __iter__(self) -> Iterator[str]:
        """In their order."""
        return iter(self._sorted)

    def span(self, pattern: str) -> Span:
        """What a pattern means. O(log names)."""
        if not pattern.endswith("*"):
            return bisect_left(self._sorted, pattern), bisect_right(self._sorted, pattern)
        start = pattern[:-1]
        first = bisect_left(self._sorted, start)
        return first, bisect_right(self._sorted, start, first, key=lambda name: name[: len(start)])

    def means(self, pattern: str) -> bool:
        """Does it mean any name?"""
        first, behind = self.span(pattern)
        return first < behind


class Ends:
    """For each name the models at which its calls may end; of a set of names the first few are told.

    A tree of what pairs of names, of pairs and so on come to: made in O(names), asked in O(patterns × log names).
    """

    __slots__ = ("_names", "_spans", "_told", "_tree", "_wanted")

    def __init__(self, ends: Mapping[str, Collection[str]], wanted: int) -> None:
        """`wanted`: so many of the first are told."""
        self._names = Names(ends)
        self._wanted = wanted
        self._tree = [(), *[()] * (len(self._names) - 1), *(self._first(ends[name]) for name in self._names)]
        for at in range(len(self._names) - 1, 0, -1):
            self._tree[at] = self._first({*self._tree[2 * at], *self._tree[2 * at + 1]})
        self._spans: dict[tuple[str, ...], tuple[Span, ...]] = {}
        self._told: dict[tuple[Span, ...], tuple[str, ...]] = {}

    def first(self, patterns: Iterable[tuple[str, ...]]) -> tuple[str, ...]:
        """The first models, in their order, at which calls end by names that all of `patterns` allow; () allow all."""
        spans: tuple[Span, ...] = ((0, len(self._names)),)
        for each in patterns:
            if each:
                spans = tuple(_crossed(spans, self._meant(each)))
        if spans not in self._told:
            self._told[spans] = self._first({model for span in spans for model in self._within(span)})
        return self._told[spans]

    def _meant(self, patterns: tuple[str, ...]) -> tuple[Span, ...]:
        if patterns not in self._spans:
            self._spans[patterns] = tuple(_joined(map(self._names.span, patterns)))
        return self._spans[patterns]

    def _within(self, span: Span) -> Iterator[str]:
        first, behind = (at + len(self._names) for at in span)
        while first < behind:
            if first & 1:
                yield from self._tree[first]
                first += 1
            if behind & 1:
                behind -= 1
                yield from self._tree[behind]
            first, behind = first // 2, behind // 2

    def _first(self, models: Iterable[str]) -> tuple[str, ...]:
        return tuple(sorted(models)[: self._wanted])


def _joined(spans: Iterable[Span]) -> Iterator[Span]:
    """In their order, those that touch as one."""
    first, behind = 0, 0
    for start, end in sorted(spans):
        if start > behind:
            if first < behind:
                yield first, behind
            first, behind = start, end
        behind = max(behind, end)
    if first < behind:
        yield first, behind


def _crossed(some: Sequence[Span], others: Sequence[Span]) -> Iterator[Span]:
    """What lies in both. O(the fewer × log of the more + what is found)."""
    few, many = sorted((some, others), key=len)
    for first, behind in few:
        at = bisect_right(many, first, key=lambda span: span[1])
        while at < len(many) and many[at][0] < behind:
            yield max(first, many[at][0]), min(behind, many[at][1])
            at += 1
