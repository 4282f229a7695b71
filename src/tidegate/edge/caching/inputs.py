"""Embeddings are kept for each input: only those that are not known are asked for, and the answer is put together."""

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final

from tidegate.model.cached import KEY_BYTES, CacheEntry, Cost, Labels
from tidegate.model.call import Call, Kind, Size
from tidegate.model.outcome import Usage
from tidegate.policy.caching.canonical import canonical, key
from tidegate.providers.answers.inputs import inputs, merged, reduced, vectors

EMBEDDING: Final = Kind.EMBEDDING
MOST: Final = 2_048  # inputs, as providers have it; more are not told apart
_NOBODY: Final = Usage()


class Parts:
    """The inputs of one call, and the keys of their embeddings. Nobody changes one."""

    __slots__ = ("inputs", "keys")

    def __init__(self, given: tuple[bytes, ...], keys: tuple[bytes, ...]) -> None:
        self.inputs = given
        self.keys = keys


def parts(body: bytes, scope: bytes, path: bytes, model: str) -> Parts | None:
    """What a call asks for, one by one; None where that cannot be told. Raises `ValueError`, as `canonical`. O(bytes).

    An input's key is made of the request without inputs, and of the input: the same in whichever company it is asked.
    """
    given = inputs(body)
    if given is None or len(given) > MOST:
        return None
    rest = canonical(EMBEDDING, reduced(body, ())).base
    return Parts(given, tuple([_key(rest, one, scope, path, model) for one in given]))


def _key(rest: bytes, one: bytes, scope: bytes, path: bytes, model: str) -> bytes:
    return key(blake2b(rest + one, digest_size=KEY_BYTES).digest(), scope, EMBEDDING, path, model)


def missing(found: Sequence[CacheEntry | None]) -> list[int]:
    """The inputs that are to be asked for."""
    return [at for at, entry in enumerate(found) if entry is None]


def together(found: Sequence[CacheEntry | None], model: str, new: bytes | None, usage: Usage = _NOBODY) -> bytes:
    """The answer of all inputs, of which `new` has those that were missing. Raises `ValueError`: it has not."""
    made = iter(vectors(new)) if new is not None else iter(())
    bodies = [next(made, b"") if entry is None else entry.body for entry in found]
    if not all(bodies) or next(made, None) is not None:
        raise ValueError("the answer does not have one embedding for each input")
    return merged(new, model, bodies, usage)


def narrow(call: Call, wanted: Sequence[int], of: int) -> None:
    """Let the call ask for these inputs only."""
    if isinstance(call.body, bytes) and len(wanted) < of:
        call.body = reduced(call.body, wanted)
        size = call.size
        call.size = Size(size.kind, size.weight * len(wanted) // of, size.fixed)
        call.cache = f"miss; {of - len(wanted)} of {of} inputs known"


def entries(  # noqa: PLR0913, PLR0917 - the parts of a record
    asked: Parts, found: Sequence[CacheEntry | None], new: bytes, call: Call, labels: Labels, cost: Cost,
    wall: int, fresh_until: int, stale_until: int,
) -> list[CacheEntry]:  # fmt: skip
    """What is to be kept of a new answer: its cost is shared by the length of the inputs."""
    at = missing(found)
    length = sum(len(asked.inputs[one]) for one in at) or 1
    made: list[CacheEntry] = []
    for one, vector in zip(at, vectors(new), strict=True):
        share = len(asked.inputs[one])
        part = Cost(cost.prompt * share // length, 0, cost.nano * share // length)
        made.append(
            CacheEntry(
                asked.keys[one], "embedding", call.dialect, vector, False, (), labels, part, call.id, wall,
                fresh_until, stale_until,
            )
        )  # fmt: skip
    return made


def saved(found: Sequence[CacheEntry | None]) -> Cost:
    """What the known ones had cost."""
    known = [entry.cost for entry in found if entry is not None]
    return Cost(sum(one.prompt for one in known), 0, sum(one.nano for one in known))
