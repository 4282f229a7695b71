"""From a call to what the cache is asked: the key of its answer, and for how long that will hold."""

from collections.abc import Callable
from functools import partial
from typing import Final

from tidegate.edge.caching.inputs import parts
from tidegate.edge.caching.lookup import CacheLookup, Recent
from tidegate.edge.heads import combined
from tidegate.edge.intake import Caller
from tidegate.line.plan import Plan
from tidegate.model.call import Call, Kind
from tidegate.policy.caching.canonical import VARIANT_HEADERS, canonical, key
from tidegate.policy.caching.questions import system_of
from tidegate.policy.caching.terms import KEPT, Terms
from tidegate.wire.exchange import Exchange

EMBEDDING: Final = Kind.EMBEDDING
MOST_CIRCLES: Final = 65_536
_NAMED: Final = (*VARIANT_HEADERS, b"cache-control", b"x-tidegate-cache")


class Asking:
    """One per worker. What was asked before in the same bytes needs no second look."""

    __slots__ = ("_circles", "_headers", "_last", "recent")

    def __init__(self) -> None:
        self.recent = Recent()
        self._circles: dict[tuple[object, ...], int] = {}
        self._last = 0  # circle; a number is never given twice, for callers remember theirs
        self._headers: tuple[bytes, ...] = _NAMED

    def change(self, names: frozenset[str]) -> None:
        """The rules look at headers of these names from now on."""
        self._headers = (*_NAMED, *sorted(name.encode() for name in names))
        self._circles.clear()

    def again(self, exchange: Exchange, caller: Caller) -> CacheLookup | None:
        """What the same caller asked for in the same words. O(body) by hashing."""
        circle = caller.circle
        return self.recent.get(caller.mark, circle, exchange.body) if circle else None

    def wanted(self, exchange: Exchange, caller: Caller, call: Call, plan: Plan, terms: Terms) -> CacheLookup | str:
        """What is looked for; a word, where the call has nothing to do with the cache."""
        kind, directives, body = call.kind, caller.directives, call.body
        if kind not in KEPT or not isinstance(body, bytes):
            return ""
        if directives.bypass or not (directives.read or directives.write):
            return "bypass: as asked"
        if call.shape.tools and not terms.tools:
            return "bypass: tools"
        try:
            asked = canonical(kind, body)
        except ValueError:
            return "bypass: unreadable"
        if asked.stateful:
            return f"bypass: {asked.stateful}"
        tags = tuple(sorted(caller.tag.split(", "))) if caller.tag else ()
        ttl_us = directives.ttl_us
        if ttl_us < 0:
            ttl_us = terms.layers.ttl_us(kind, call.shape.model, tags, exchange.header, _system(kind, body))
        if not ttl_us:
            return "bypass: ttl"
        wanted = self._made(exchange, caller, call, plan, terms, asked.base, ttl_us, tags)
        self._remember(exchange, caller, wanted)
        return wanted

    def _made(
        self,
        exchange: Exchange,
        caller: Caller,
        call: Call,
        plan: Plan,
        terms: Terms,
        base: bytes,
        ttl_us: int,
        tags: tuple[str, ...],
    ) -> CacheLookup:
        scope = terms.scope(caller.space, caller.user, caller.client)
        path = b"\n".join([caller.path, *[_lines(exchange, name) or b"" for name in VARIANT_HEADERS]])
        target = plan.targets[0]
        model = f"{target.provider}/{target.model}"
        shape, inputs = call.shape, None
        if call.kind is EMBEDDING and isinstance(call.body, bytes):
            inputs = parts(call.body, scope, path, model)
        return CacheLookup(
            key(base, scope, call.kind, path, model),
            base,
            scope,
            call.kind,
            path,
            model,
            plan.name,
            terms,
            caller.directives,
            ttl_us,
            shape.stream,
            shape.wants_usage,
            tags,
            shape.model,
            inputs,
        )

    def _remember(self, exchange: Exchange, caller: Caller, wanted: CacheLookup) -> None:
        """An embeddings call is looked at by its inputs, each time."""
        if wanted.kind is EMBEDDING:
            return
        if not caller.circle:
            caller.circle = self._circle(exchange, caller)
            self.recent.get(caller.mark, caller.circle, exchange.body)
        self.recent.put(caller.circle, exchange.body, wanted)

    def _circle(self, exchange: Exchange, caller: Caller) -> int:
        """A number for all heads that ask the cache the same of the same body."""
        circles = self._circles
        if len(circles) >= MOST_CIRCLES:
            circles.clear()
        headers = [_lines(exchange, name) for name in self._headers]
        name = (caller.client, caller.kind, caller.path, caller.dialect, caller.tag, *headers)
        circle = circles.get(name)
        if circle is None:
            self._last += 1
            circle = circles[name] = self._last
        return circle


def _lines(exchange: Exchange, name: bytes) -> bytes | None:
    """All of them go on to the provider, so all of them count."""
    first = exchange.header(name)
    return None if first is None else combined(exchange.headers, name)


def _system(kind: Kind, body: bytes) -> Callable[[], str]:
    return partial(system_of, kind, body)
