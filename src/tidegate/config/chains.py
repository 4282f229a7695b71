"""Strategies that lead to strategies: a fallback that names one stands for its models, and no chain leads back.

A fallback is a model wherever a provider names it, or where it is the primary model of the strategy of that name.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence

Edges = Mapping[str, Sequence[str]]

MAX_MODELS = 256  # of one strategy, those of other strategies counted


class TooLong(ValueError):
    """A chain has more than `MAX_MODELS` models or strategies."""


def linked_names(primaries: Mapping[str, str], models: Collection[str]) -> frozenset[str]:
    """Which names of strategies stand for the strategy where a fallback names them; `models`: what providers name."""
    return frozenset(name for name, primary in primaries.items() if name != primary and name not in models)


def flat(name: str, primaries: Mapping[str, str], fallbacks: Edges, linked: Collection[str]) -> tuple[str, ...]:
    """The models of strategy `name` after its primary one, each once, in the order in which they are tried.

    `primaries` and `fallbacks` by strategy, fallbacks by priority; `linked` are the names that stand for a strategy.
    Ends although a chain leads back. O(strategies + models). Raises `TooLong`.
    """
    models = {primaries[name]: None}
    seen = {name}
    todo = list(reversed(fallbacks[name]))
    while todo:
        word = todo.pop()
        if word not in linked:
            models[word] = None
        elif word not in seen:
            seen.add(word)
            models[primaries[word]] = None
            todo.extend(reversed(fallbacks[word]))
        if max(len(models), len(seen)) > MAX_MODELS:
            raise TooLong
    return tuple(models)[1:]


def cycles(edges: Edges) -> Iterator[tuple[str, ...]]:
    """Each way that leads back to where it began, as `(a, b, …, a)`, found from the first name. O(names + edges)."""
    done: set[str] = set()
    for root in edges:
        way = {root: iter(edges[root])} if root not in done else {}
        while way:
            current = next(reversed(way))
            following = next(way[current], None)
            if following is None:
                way.popitem()
                done.add(current)
            elif following in way:
                names = list(way)
                yield (*names[names.index(following) :], following)
            elif following not in done and following in edges:
                way[following] = iter(edges[following])
