"""Keys of kept answers: what counts changes them, what does not leaves them, and what may be read twice has none.

`python -m bench.proofs.caching.keys [COUNT]` does it alone and prints the figures.
"""

import json
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from bench import gate
from bench.figures import at_least, at_most, exactly, told
from bench.proofs.caching import mutants
from bench.proofs.steps import Context, Row, run
from tidegate.model.call import Kind
from tidegate.policy.caching.canonical import canonical, key

_ALL: Final = 1_000_000
_QUICK: Final = 50_000
_RESPELLED_EACH: Final = 10  # of the mutants, one in so many is written in other words as well
_AMBIGUOUS_EACH: Final = 20
_MOST_US: Final = 6.0
_SHORT: Final = 8  # bytes of a key that are remembered: a million of them are equal by chance once in 10^7 runs
_SCOPES: Final = (b"n:acme", b"n:acm", b"u:acme/e", b"k:e", b"g:acme")
_PATHS: Final = (b"/chat/completions", b"/chat/completions?api-version=1", b"", b"e")
_MODELS: Final = ("openai/gpt-5", "openai/gpt-5-mini", "e", "")
_WRITERS: Final = tuple(
    json.JSONEncoder(ensure_ascii=escaping, separators=separators)
    for escaping in (True, False)
    for separators in ((",", ":"), (", ", ": "))
)

Name = tuple[bytes, bytes, str]  # scope, path, model


@dataclass(slots=True)
class Found:
    """What was counted. `collisions`: equal keys of what does not mean the same."""

    mutants: int = 0
    keys: int = 0
    collisions: int = 0
    respelled: int = 0
    missed: int = 0  # of the respelled: another key than before
    ambiguous: int = 0
    accepted: int = 0  # of the ambiguous: a key after all
    seconds: float = 0.0


def keys(context: Context, row: Row) -> None:
    """Every mutant has a key of its own, and every other spelling of it the same one."""
    count = _QUICK if context.quick else _ALL
    row.commands.append(f"python -m bench.proofs.caching.keys {count}")
    found = tried(count)
    note = f"{found.keys:,} different ones in {found.seconds:.0f} s"
    row.figures += [
        at_least("bodies, each with something changed that counts", found.mutants, count, note=note),
        exactly("equal keys of what does not mean the same", found.collisions, 0),
        exactly("the same in other words, with another key", found.missed, 0, f"{found.respelled:,} tried"),
        exactly("a name that stands twice, and a key all the same", found.accepted, 0, f"{found.ambiguous:,} tried"),
    ]  # fmt: skip


def cost(_context: Context, row: Row) -> None:
    """A chat body of 1 KB: the best of many short rounds, so that others on the machine are left out."""
    python = Path(gate.program()).with_name("python")
    done = run(row, [str(python), "-I", "bench/proofs/caching/key_cost.py"], 300)
    took: dict[str, Any] = json.loads(done.stdout)
    note = f"{took['bytes']:,} bytes; with white space {took['spaced_us']:.2f} µs; {took['how']}"
    row.figures.append(at_most("canonical form and digest of 1 KB of chat", took["body_us"], _MOST_US, "µs", note))
    row.figures.append(told("the key of one model, from that digest", f"{took['key_us']:.2f} µs"))


def tried(count: int) -> Found:
    """So many mutants, judged."""
    found, began = Found(mutants=count), time.monotonic()
    origins = [canonical(kind, json.dumps(body).encode()).base for kind, body in mutants.BODIES]
    seen: list[int] = []
    for number in range(count):
        random = Random(number)
        at, kind, body, name = _drawn(random)
        base = canonical(kind, _plain(random, body)).base
        found.collisions += base == origins[at] and _counts(kind, body) != _counts(kind, mutants.BODIES[at][1])
        short = int.from_bytes(key(base, name[0], kind, name[1], name[2])[:_SHORT])
        seen.append(short * count + number)  # sorts by key, and says whose it is
        if number % _RESPELLED_EACH == 0:
            found.respelled += 1
            found.missed += canonical(kind, mutants.spelled(random, kind, body)).base != base
        if number % _AMBIGUOUS_EACH == 0:
            found.ambiguous += 1
            found.accepted += _has_key(kind, mutants.ambiguous(random, kind, body))
    for numbers in _alike(seen, count):
        found.keys += 1
        found.collisions += len({_meant(number) for number in numbers}) - 1 if len(numbers) > 1 else 0
    found.seconds = time.monotonic() - began
    return found


def _drawn(random: Random) -> tuple[int, Kind, mutants.Body, Name]:
    """A mutant: of which body, its kind, itself and what stands beside it in the key."""
    at = random.randrange(len(mutants.BODIES))
    kind, body = mutants.BODIES[at]
    name = random.choice(_SCOPES), random.choice(_PATHS), random.choice(_MODELS)
    return at, kind, mutants.mutant(random, kind, body), name


def _plain(random: Random, body: mutants.Body) -> bytes:
    """As common libraries write it."""
    return random.choice(_WRITERS).encode(body).encode()


def _counts(kind: Kind, body: mutants.Body) -> Any:
    return mutants.counted(kind, body)


def _meant(number: int) -> Any:
    """What the mutant of this number means, made once more."""
    _, kind, body, name = _drawn(Random(number))
    return kind, _counts(kind, body), name


def _has_key(kind: Kind, data: bytes) -> bool:
    try:
        canonical(kind, data)
    except ValueError:
        return False
    return True


def _alike(seen: list[int], count: int) -> Iterator[list[int]]:
    """The numbers of the mutants, those of one key together."""
    seen.sort()
    group: list[int] = []
    last = -1
    for one in seen:
        short, number = divmod(one, count)
        if short != last and group:
            yield group
            group = []
        group.append(number)
        last = short
    if group:
        yield group


if __name__ == "__main__":
    print(tried(int(sys.argv[1]) if len(sys.argv) > 1 else _QUICK))
