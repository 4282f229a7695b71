"""Strategies that lead to strategies: where a model is due, the name of one stands for its models.

A name is a model wherever a provider names it, or where it is the primary model of the strategy of that name.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import NamedTuple

Edges = Mapping[str, Sequence[str]]

MAX_MODELS = 256  # of one strategy, those of other strategies counted


class TooLong(ValueError):
    """A chain has more than `MAX_MODELS` models or strategies."""


def linked_names(primaries: Mapping[str, str], models: Collection[str]) -> frozenset[str]:
    """Which names of strategies stand for the strategy where a model is due; `models`: what providers name."""
    return frozenset(name for name, primary in primaries.items() if name != primary and name not in models)


class Chains(NamedTuple):
    """All strategies by name: their primary models, their fallbacks by priority, and which names stand for one."""

    primaries: Mapping[str, str]
    fallbacks: Edges
    linked: Collection[str]

    def models(self, name: str) -> tuple[str, ...]:
        """The models of strategy `name`, each once, in the order in which they are tried; the primary one first.

        Ends although a chain leads back. O(strategies + models). Raises `TooLong`.
        """
        models = {self.primaries[name]: None}
        seen = {name}
        todo = list(reversed(self.fallbacks[name]))
        while todo:
            word = todo.pop()
            if word not in self.linked:
                models[word] = None
            elif word not in seen:
                seen.add(word)
                models[self.primaries[word]] = None
                todo.extend(reversed(self.fallbacks[word]))
            if max(len(models), len(seen)) > MAX_MODELS:
                raise TooLong
        return tuple(models)

    def meant(self, word: str) -> tuple[str, ...]:
        """The models that a word stands for where a model is due."""
        return self.models(word) if word in self.linked else (word,)


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
