"""Rules of the cache that no call reaches: another before them fits every call that they fit."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Final, NamedTuple, TypeAlias

from tidegate.config.schema.cache import CacheRuleConfig

_MOST: Final = 200  # rules of one place that are looked at
_Place: TypeAlias = tuple[str | None, tuple[str, str] | None, str, str]  # system, header, what is meant, its name


class _Rule(NamedTuple):
    """What a rule fits."""

    routes: frozenset[str]
    tags: frozenset[str]
    models: frozenset[str]  # with patterns
    starts: frozenset[str]  # of patterns
    system: str | None
    header: tuple[str, str] | None

    def covers(self, other: "_Rule") -> bool:
        """Whether all of its conditions hold wherever those of `other` do, as far as words show it. O(other)."""
        if self.routes and not (other.routes and other.routes <= self.routes):
            return False
        if self.tags and not (other.tags and other.tags <= self.tags):
            return False
        if self.models and not (other.models and all(map(self._means, other.models))):
            return False
        return self.system in (None, other.system) and self.header in (None, other.header)

    def _means(self, model: str) -> bool:
        return model in self.models or any(start in self.starts for start in _starts(model))


def covered(rules: Sequence[CacheRuleConfig]) -> Iterator[tuple[int, int]]:
    """Each rule that is never reached, with the first before it that fits every call which it fits.

    A rule is remembered where each is looked for that it may cover: by its tags or its models, whichever fewer rules
    have. Where more than 200 share all that they are remembered by, only the first of them are looked at. O(rules).
    """
    known = [_rule(rule) for rule in rules]
    often = Counter(word for rule in known for word in (*rule.tags, *rule.models))
    places: dict[_Place, list[int]] = {}
    for number, rule in enumerate(known):
        found = [_first(places.get(place, ()), known, rule) for place in _looked(rule, often)]
        before = min((at for at in found if at is not None), default=None)
        if before is not None:
            yield number, before
        for place in _kept(rule, often):
            places.setdefault(place, []).append(number)


def _rule(item: CacheRuleConfig) -> _Rule:
    models = frozenset(item.models)
    starts = frozenset(model[:-1] for model in models if model.endswith("*"))
    header = next(iter(item.header.items()), None)
    return _Rule(frozenset(item.routes), frozenset(item.tags), models, starts, item.system, header)


def _first(numbers: Sequence[int], known: Sequence[_Rule], rule: _Rule) -> int | None:
    return next((at for at in islice(numbers, _MOST) if known[at].covers(rule)), None)


def _kept(rule: _Rule, often: Mapping[str, int]) -> Iterator[_Place]:
    """Where it is remembered."""
    by_tag, by_model = (min((often[word] for word in words), default=0) for words in (rule.tags, rule.models))
    if rule.tags and (not rule.models or by_tag <= by_model):
        yield from ((rule.system, rule.header, "tag", tag) for tag in rule.tags)
    elif rule.models:
        yield from ((rule.system, rule.header, "start", start) for start in rule.starts)
        yield from ((rule.system, rule.header, "model", model) for model in rule.models)
    else:
        yield rule.system, rule.header, "all", ""


def _looked(rule: _Rule, often: Mapping[str, int]) -> Iterator[_Place]:
    """Where those are remembered that may cover it."""
    tags, models = (sorted(words, key=lambda word: (often[word], word))[:1] for words in (rule.tags, rule.models))
    for system in dict.fromkeys((None, rule.system)):
        for header in dict.fromkeys((None, rule.header)):
            yield system, header, "all", ""
            yield from ((system, header, "tag", tag) for tag in tags)
            for model in models:
                yield system, header, "model", model
                yield from ((system, header, "start", start) for start in _starts(model))


def _starts(model: str) -> Iterator[str]:
    return (model[:length] for length in range(len(model) + 1))
