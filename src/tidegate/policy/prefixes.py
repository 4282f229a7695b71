"""Which beginnings of prompts are cached at one lane, and how much of them.

Where cached input does not count against the quota, a call reserves its estimate less what is likely to be cached, and
is settled by what the provider says was. A beginning is known by a digest; providers forget it some minutes after its
last use, so each use renews it.

What was learnt is a floor of the next turn: a conversation grows, and what was sent last time is what is cached next
time. At most `size` beginnings are kept, the least recently used ones go first. All O(1).
"""

from collections import OrderedDict

TTL_US = 300_000_000
SIZE = 10_000


class Prefixes:
    """A bounded memory of one lane."""

    __slots__ = ("_known", "_size", "_ttl_us")

    def __init__(self, size: int = SIZE, ttl_us: int = TTL_US) -> None:
        """`size` ≥ 1 beginnings, each for `ttl_us` after its last use."""
        self._size = size
        self._ttl_us = ttl_us
        self._known: OrderedDict[int, tuple[int, int]] = OrderedDict()  # tokens, good until; by use

    def __len__(self) -> int:
        """How many are kept, forgotten ones included until room is needed."""
        return len(self._known)

    def cached(self, key: int, now: int) -> int:
        """Tokens that are likely to be read from the cache; 0 = none known. Key 0 is never known."""
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
