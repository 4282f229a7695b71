"""How large calls were and how long they took: of those that were answered as recorded, of others as their like.

Nobody knows what a refused call would have come to. It is taken to be like a call that was answered: of the same key
and plan where there is one, else of the same plan, else any. What is known of its request counts: its length, and the
`max_tokens` that it stated, which is all that many a limiter charges.
"""

from random import Random
from typing import Final, NamedTuple

from tidegate.model.arrivals import Arrival
from tidegate.model.snapshot import Profile

_KEPT: Final = 64  # calls of each kind that stand for their like
_KINDS: Final = 5_000  # of keys and plans that are told apart
_FAILED: Final = 400
_LEAST_US: Final = 1_000  # no answer takes less


class Shape(NamedTuple):
    """What a call came to. `first_us`, `total_us`: of the attempt that answered, since it left."""

    prompt: int
    completion: int
    cached: int
    written: int
    most: int  # `max_tokens`, 0 = not stated
    first_us: int
    total_us: int
    provider: str
    model: str
    bytes: int = 0  # of the request, 0 = not known


UNKNOWN: Final = Shape(100, 100, 0, 0, 0, 500_000, 2_000_000, "", "")


def shape_of(arrival: Arrival, profile: Profile | None) -> Shape | None:
    """What an answered call came to, None for any other. `profile` is its provider's."""
    if not arrival.provider or arrival.status >= _FAILED or not arrival.status or arrival.hit:
        return None
    began = arrival.queued_us + arrival.waited_us
    if arrival.tries:
        last = arrival.tries[-1]
        began = max(began, last.after_us)
    total = max(_LEAST_US, arrival.duration_us - began)
    first = min(total, max(_LEAST_US, arrival.first_byte_us - began))
    prompt, completion = arrival.prompt_tokens, arrival.completion_tokens
    if len(arrival.tries) > 1:  # they hold what all attempts were billed
        prompt, completion = prompt // len(arrival.tries), completion // len(arrival.tries)
    return Shape(
        prompt,
        completion,
        arrival.cached_tokens,
        arrival.written_tokens,
        arrival.most_tokens or _most(arrival, profile),
        first,
        total,
        arrival.provider,
        arrival.served,
        arrival.request_bytes,
    )


def _like(donor: Shape, arrival: Arrival) -> Shape:
    """The donor, with a prompt as long as the call's own request was, and with the `max_tokens` that it stated."""
    if most := arrival.most_tokens:
        donor = donor._replace(most=most, completion=min(donor.completion, most))
    if not arrival.request_bytes or not donor.bytes:
        return donor
    prompt = donor.prompt * arrival.request_bytes // donor.bytes
    cached = donor.cached * prompt // donor.prompt if donor.prompt else 0
    return donor._replace(prompt=prompt, cached=cached, bytes=arrival.request_bytes)


def _most(arrival: Arrival, profile: Profile | None) -> int:
    """`max_tokens`, by what the provider's limiter was charged; 0 where that does not tell."""
    if profile is None or profile.settles or arrival.estimated or arrival.attempts != 1:
        return 0
    prompt = arrival.prompt_tokens - (arrival.cached_tokens if profile.cached_free else 0)
    charged = arrival.charged_tokens
    if profile.charge == "sum":
        return max(0, charged - prompt)
    return charged if profile.charge == "max" and charged > prompt else 0


class _Line:
    """Duration by tokens of the answer: least squares over all that were seen."""

    __slots__ = ("_count", "_product", "_square", "_tokens", "_took")

    def __init__(self) -> None:
        self._count = self._tokens = self._took = self._square = self._product = 0

    def learn(self, tokens: int, took_us: int) -> None:
        self._count += 1
        self._tokens += tokens
        self._took += took_us
        self._square += tokens * tokens
        self._product += tokens * took_us

    def at(self, tokens: int) -> float:
        """For an answer of so many tokens; 0 while nothing is known."""
        if not self._count:
            return 0.0
        mean, took = self._tokens / self._count, self._took / self._count
        spread = self._square / self._count - mean * mean
        if spread < 1.0:
            return took
        slope = max(0.0, (self._product / self._count - mean * took) / spread)
        return max(_LEAST_US, took + slope * (tokens - mean))


class Shapes:
    """What is known of all answered calls, within a bounded memory."""

    __slots__ = ("_donors", "_lines", "_luck", "_profiles", "_seen", "guessed", "strange")

    def __init__(self, profiles: dict[str, Profile], luck: Random) -> None:
        """`profiles` by the names of providers."""
        self._profiles = profiles
        self._luck = luck
        self._donors: dict[tuple[str, str, str], list[Shape]] = {}
        self._seen: dict[tuple[str, str, str], int] = {}
        self._lines: dict[tuple[str, str], _Line] = {}
        self.guessed = 0  # calls that are taken to be like others
        self.strange: set[tuple[str, str]] = set()  # models without a recorded call: as fast as the one that answered

    def learn(self, arrival: Arrival) -> None:
        """One more. O(1)."""
        shape = shape_of(arrival, self._profiles.get(arrival.provider))
        if shape is None:
            self.guessed += not arrival.hit
            return
        line = self._lines.get((shape.provider, shape.model))
        if line is None:
            line = self._lines[shape.provider, shape.model] = _Line()
        line.learn(shape.completion, shape.total_us)
        for kind in _kinds(arrival):
            if kind in self._seen or len(self._seen) < _KINDS or not any(kind):
                self._keep(kind, shape)

    def _keep(self, kind: tuple[str, str, str], shape: Shape) -> None:
        """Each call stands for its kind with the same probability (Vitter's algorithm R)."""
        seen = self._seen[kind] = self._seen.get(kind, 0) + 1
        donors = self._donors.setdefault(kind, [])
        if len(donors) < _KEPT:
            donors.append(shape)
        elif (at := self._luck.randrange(seen)) < _KEPT:
            donors[at] = shape

    def of(self, arrival: Arrival, luck: Random) -> Shape:
        """What it came to, or would have, by `luck`. O(1)."""
        shape = shape_of(arrival, self._profiles.get(arrival.provider))
        if shape is not None:
            return shape
        if arrival.hit:
            return UNKNOWN._replace(prompt=arrival.prompt_tokens, completion=arrival.completion_tokens)
        for kind in _kinds(arrival):
            if donors := self._donors.get(kind):
                return _like(donors[luck.randrange(len(donors))], arrival)
        return UNKNOWN

    def times(self, shape: Shape, provider: str, model: str, completion: int) -> tuple[int, int]:
        """To the first byte and to the end, at this model and for an answer of so many tokens, in microseconds."""
        own, other = self._lines.get((shape.provider, shape.model)), self._lines.get((provider, model))
        if (provider, model) == (shape.provider, shape.model) or own is None:
            first, total = shape.first_us, shape.total_us
        elif other is None:
            self.strange.add((provider, model))
            first, total = shape.first_us, shape.total_us
        else:
            scale = other.at(shape.completion) / own.at(shape.completion)
            first, total = int(shape.first_us * scale), int(shape.total_us * scale)
        if 0 < completion < shape.completion:
            total = first + (total - first) * completion // shape.completion
        return max(1, first), max(1, first, total)


def _kinds(arrival: Arrival) -> tuple[tuple[str, str, str], ...]:
    """What it is like, the closest first."""
    form = "s" if arrival.streamed else "w"
    who = arrival.key or arrival.namespace
    return (who, arrival.model, form), ("", arrival.model, form), ("", arrival.model, ""), ("", "", "")
