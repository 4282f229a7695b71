"""What the cache wants to know of a call: under which key its answer is, or will be, and on which terms."""

from typing import TYPE_CHECKING, Final

from tidegate.model.call import Kind
from tidegate.policy.caching.directives import Directives
from tidegate.policy.caching.terms import Terms

if TYPE_CHECKING:
    from tidegate.edge.caching.inputs import Parts


class CacheLookup:
    """An answer that is looked for. Made from head and body together, and remembered by them. Nobody changes one."""

    __slots__ = (
        "asked", "base", "directives", "key", "kind", "model", "parts", "path", "plan", "scope", "streamed", "tags",
        "terms", "ttl_us", "usage",
    )  # fmt: skip

    def __init__(  # noqa: PLR0913, PLR0917 - a record
        self,
        key: bytes,
        base: bytes,
        scope: bytes,
        kind: Kind,
        path: bytes,
        model: str,
        plan: str,
        terms: Terms,
        directives: Directives,
        ttl_us: int,
        streamed: bool,
        usage: bool,
        tags: tuple[str, ...],
        asked: str,
        parts: "Parts | None" = None,
    ) -> None:
        self.key = key
        self.base = base
        self.scope = scope
        self.kind = kind
        self.path = path
        self.model = model  # provider/model that is asked first
        self.plan = plan
        self.terms = terms
        self.directives = directives
        self.ttl_us = ttl_us
        self.streamed = streamed
        self.usage = usage  # its stream tells usage
        self.tags = tags
        self.asked = asked  # the model, as its client names it
        self.parts = parts  # the inputs of an embeddings call, where they can be told apart


MAX_BYTES: Final = 16_777_216  # of bodies, in each generation
_OVERHEAD: Final = 400
LONGEST: Final = 65_536  # a longer body is read anew each time


class Recent:
    """What the same bytes from the same caller came to. Two generations: what is used lives on. O(body) by hashing."""

    __slots__ = ("_bytes", "_mark", "_old", "_young")

    def __init__(self) -> None:
        self._young: dict[tuple[int, bytes], CacheLookup] = {}
        self._old: dict[tuple[int, bytes], CacheLookup] = {}
        self._bytes = 0
        self._mark: object = None

    def get(self, mark: object, circle: int, body: bytes) -> CacheLookup | None:
        """`mark` is the runtime's: of another runtime nothing is known."""
        if mark is not self._mark:
            self._young, self._old, self._bytes, self._mark = {}, {}, 0, mark
            return None
        name = (circle, body)
        found = self._young.get(name)
        if found is None:
            found = self._old.pop(name, None)
            if found is not None:
                self._put(name, found)
        return found

    def put(self, circle: int, body: bytes, wanted: CacheLookup) -> None:
        """Remember it, for the runtime of the last `get`."""
        if len(body) <= LONGEST:
            self._put((circle, body), wanted)

    def _put(self, name: tuple[int, bytes], wanted: CacheLookup) -> None:
        self._bytes += len(name[1]) + _OVERHEAD
        self._young[name] = wanted
        if self._bytes > MAX_BYTES:
            self._old, self._young, self._bytes = self._young, {}, 0
