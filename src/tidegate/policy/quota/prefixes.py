"""Which beginnings of prompts are cached at one lane, and how much of them.

Where cached input does not count against the quota, a call reserves its estimate less what is likely to be cached, and
is settled by what the provider says was. A beginning is known by a digest; providers forget it some minutes after its
last use, so each use renews it.

What was learnt is a floor of the next turn: a conversation grows, and what was sent last time is what is cached next
time. At most `size` beginnings are kept, the least recently used ones go first. All O(1).

A guess that is too high is a call too many at the provider. So less is guessed than was cached (`BLOCK`), nothing for
prompts too short to be cached (`LEAST`), and nothing at all while the provider shows that the guesses are wrong.
"""

from collections import OrderedDict
from hashlib import blake2b

TTL_US = 300_000_000
SIZE = 10_000
BLOCK = 128  # tokens: caches are read in blocks (OpenAI's guide on prompt caching), and messages have a frame
LEAST = 1_024  # tokens of a prompt that is cached at all (the same guide)
_TRUST, _MOST_TRUST, _LOST = 4, 8, 2  # two hits make up for a miss, and three misses on end are believed


def prefix_hash(*parts: bytes) -> int:
    """What stands for these parts: never 0. BLAKE2b, the same in every process. O(bytes)."""
    made = blake2b(digest_size=8)
    for part in parts:
        made.update(b"%d:" % len(part))
        made.update(part)
    return int.from_bytes(made.digest()) or 1


class Prefixes:
    """A bounded memory of one lane."""

    __slots__ = ("_known", "_size", "_trust", "_ttl_us")

    def __init__(self, size: int = SIZE, ttl_us: int = TTL_US) -> None:
        """`size` ≥ 1 beginnings, each for `ttl_us` after its last use."""
        self._size = size
        self._ttl_us = ttl_us
        self._trust = _TRUST
        self._known: OrderedDict[int, tuple[int, int]] = OrderedDict()  # tokens, good until; by use

    def __len__(self) -> int:
        """How many are kept, forgotten ones included until room is needed."""
        return len(self._known)

    def cached(self, key: int, now: int) -> int:
        """Tokens that are likely to be read from the cache; 0 = none known. Key 0 is never known."""
        return self._last(key, now) if self._trust > 0 else 0

    def answered(self, key: int, prompt: int, cached: int, now: int) -> None:
        """A call with this beginning was answered: so long was its prompt, and so much of it came from the cache."""
        last = self._last(key, now)
        if 2 * cached >= min(last, prompt) > 0:
            self._trust = min(_MOST_TRUST, self._trust + 1)
        elif last:
            self._trust = max(0, self._trust - _LOST)
        elif cached:
            self._trust = max(1, self._trust)
        self.learn(key, prompt - prompt % BLOCK if prompt >= LEAST else cached, now)

    def _last(self, key: int, now: int) -> int:
        known = self._known.get(key)
        if known is None:
            return 0
        tokens, until = known
        if until > now:
            return tokens
        del self._known[key]
        return 0

    def learn(self, key: int, tokens: int, now: int) -> None:
        """A call with this beginning was answered: so many tokens are cached from now on. 0 or less forgets it."""
        known = self._known
        if tokens <= 0:
            known.pop(key, None)
        elif key:
            known[key] = tokens, now + self._ttl_us
            known.move_to_end(key)
            while len(known) > self._size:
                known.popitem(last=False)
