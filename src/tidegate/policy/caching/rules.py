"""How long an answer is kept: layers of rules, of which the first that fits a call decides. Pure."""

import re
from collections.abc import Callable
from typing import Final

from tidegate.model.caching import CacheRule
from tidegate.model.parts import Kind

_NAMES: Final = {kind: kind.name.lower() for kind in Kind}


class Layer:
    """A rule, ready to be looked at: plain fields and compiled patterns, None = fits everything."""

    __slots__ = ("header", "models", "prefixes", "routes", "system", "tags", "ttl_us", "value")

    def __init__(self, rule: CacheRule) -> None:
        """Raises `ValueError` for what is no regular expression."""
        self.ttl_us = rule.ttl_us
        self.routes = frozenset(rule.routes)
        self.models = frozenset(name for name in rule.models if not name.endswith("*"))
        self.prefixes = tuple(name[:-1] for name in rule.models if name.endswith("*"))
        self.tags = frozenset(rule.tags)
        self.system = _compiled(rule.system)
        self.header = rule.header.lower().encode()
        self.value = _compiled(rule.value)

    def fits(
        self,
        kind: Kind,
        model: str,
        tags: tuple[str, ...],
        header: Callable[[bytes], bytes | None],
        system: Callable[[], str],
    ) -> bool:
        """Whether all that the rule names is so. The system prompt comes last, as it costs most."""
        if self.routes and _NAMES[kind] not in self.routes:
            return False
        if (self.models or self.prefixes) and model not in self.models and not model.startswith(self.prefixes):
            return False
        if self.tags and self.tags.isdisjoint(tags):
            return False
        if self.header and not self._header_fits(header(self.header)):
            return False
        return self.system is None or self.system.search(system()) is not None

    def _header_fits(self, value: bytes | None) -> bool:
        if value is None:
            return False
        return self.value is None or self.value.fullmatch(value.decode("latin-1")) is not None


class Layers:
    """The rules in their order, and what holds where none fits. Made once a configuration. Nobody changes one."""

    __slots__ = ("_default_us", "_layers")

    def __init__(self, rules: tuple[CacheRule, ...], default_us: int) -> None:
        """Raises `ValueError` for what is no regular expression."""
        self._layers = [Layer(rule) for rule in rules]
        self._default_us = default_us

    def ttl_us(
        self,
        kind: Kind,
        model: str,
        tags: tuple[str, ...],
        header: Callable[[bytes], bytes | None],
        system: Callable[[], str],
    ) -> int:
        """For how many microseconds this call's answer is kept, 0 = not at all.

        `model` is what was asked for, `tags` are the call's own, `header` finds a line of its head by its name in lower
        case, `system` reads the system prompt: only where a rule that looks at it is reached, and once for all of them.
        O(rules), and what the operator's regular expressions take.
        """
        if not self._layers:
            return self._default_us
        read = _Once(system)
        for layer in self._layers:
            if layer.fits(kind, model, tags, header, read):
                return layer.ttl_us
        return self._default_us


class _Once:
    """Asks once, and remembers what it was told."""

    __slots__ = ("_ask", "_asked", "_told")

    def __init__(self, ask: Callable[[], str]) -> None:
        self._ask = ask
        self._asked = False
        self._told = ""

    def __call__(self) -> str:
        if not self._asked:
            self._told = self._ask()
            self._asked = True
        return self._told


def _compiled(pattern: str) -> re.Pattern[str] | None:
    if not pattern:
        return None
    try:
        return re.compile(pattern)
    except re.error as error:
        raise ValueError(f"'{pattern}' is no regular expression: {error}") from None
