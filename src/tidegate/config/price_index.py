"""Which model of the list of prices a name means: asked for each model of a file, of a list of up to 1,000."""

import re
from collections.abc import Iterable, Iterator
from typing import Any

_SIMPLE = {"Equals": "equals", "StartsWith": "starts_with", "EndsWith": "ends_with", "Contains": "contains"}


class Index:
    """The models of a seller, in their order: the first counts whose rule means a name."""

    __slots__ = ("_begun", "_ended", "_equal", "_held", "_others", "models")

    def __init__(self, models: Iterable[Any]) -> None:
        self.models = tuple(models)
        self._equal: dict[str, int] = {}
        self._begun: dict[int, dict[str, int]] = {}  # beginnings by their length
        self._ended: dict[int, dict[str, int]] = {}
        self._held: list[tuple[int, str]] = []
        self._others: list[tuple[int, Any]] = []  # rules that say more
        for at, model in enumerate(self.models):
            self._add(at, model.match)

    def _add(self, at: int, clause: Any) -> None:
        try:
            words = [(kind, word.lower()) for kind, word in _words(clause)]
        except (AttributeError, LookupError, TypeError):  # told when it is asked
            self._others.append((at, clause))
            return
        for kind, word in words:
            match kind:
                case "Equals":
                    self._equal.setdefault(word, at)
                case "StartsWith":
                    self._begun.setdefault(len(word), {}).setdefault(word, at)
                case "EndsWith" if word:
                    self._ended.setdefault(len(word), {}).setdefault(word, at)
                case _:
                    self._held.append((at, word))

    def find(self, model: str) -> int | None:
        """The number of the first that means `model`, which is in lower case. Raises what `matches` raises."""
        last = len(self.models)
        best = min(self._at_an_end(model), default=last)
        held = next((at for at, word in self._held if at >= best or word in model), last)
        best = min(best, held)
        for at, clause in self._others:
            if at >= best or matches(clause, model):
                best = min(best, at)
                break
        return best if best < last else None

    def _at_an_end(self, model: str) -> Iterator[int]:
        for words, key in ((self._equal, model), *((words, model[:size]) for size, words in self._begun.items())):
            if key in words:
                yield words[key]
        for size, words in self._ended.items():
            if model[-size:] in words:
                yield words[model[-size:]]


def _words(clause: Any) -> Iterator[tuple[str, str]]:
    """What a rule looks for, where it only looks for words. Raises `LookupError` where it does not."""
    kind = type(clause).__name__.removeprefix("Clause")
    if kind == "Or":
        for inner in clause.or_:
            yield from _words(inner)
    else:
        yield kind, getattr(clause, _SIMPLE[kind])


def matches(clause: Any, model: str) -> bool:
    """Does a rule of the list mean this model? `model` is in lower case. Raises `LookupError` for an unknown rule."""
    match type(clause).__name__.removeprefix("Clause"):
        case "Equals":
            return bool(model == clause.equals.lower())
        case "StartsWith":
            return model.startswith(clause.starts_with.lower())
        case "EndsWith":
            return model.endswith(clause.ends_with.lower())
        case "Contains":
            return clause.contains.lower() in model
        case "Regex":
            return re.search(clause.regex, model) is not None
        case "Or":
            return any(matches(inner, model) for inner in clause.or_)
        case "And":
            return all(matches(inner, model) for inner in clause.and_)
        case kind:
            raise LookupError(kind)
