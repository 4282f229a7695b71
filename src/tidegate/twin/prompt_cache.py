"""Prompt caching, as the provider would do it: by organisation, model and prefix, for minutes after the last use.

A prefix ends where one of the prompt's texts ends (a message, for most), because that is where the next turn of a
conversation goes on. Only prefixes of so many tokens are kept, and a call reads the longest one that is alive. Pure:
`now` is an argument. O(texts) a call; memory is bounded by `MOST` prefixes, the one unused for longest goes first.
"""

from collections.abc import Callable
from typing import Final, NamedTuple

from tidegate.twin.tokens import MESSAGE

MOST: Final = 500_000


class Prefix(NamedTuple):
    """The beginning of a prompt: what stands for its bytes, how many tokens it is, and whether it is to be kept."""

    digest: int
    tokens: int
    kept: bool = True


def prefixes(
    texts: list[str], count: Callable[[tuple[str]], int], least: int, breakpoints: tuple[int, ...] | None = None
) -> list[Prefix]:  # fmt: skip
    """The prefixes of a prompt that may be cached, shortest first. `count` counts the tokens of one text.

    With `breakpoints` (indices of texts) only those that end there are kept; those before them may still be read.
    """
    found, digest, tokens = [], 0, 0
    last = len(texts) if breakpoints is None else max(breakpoints, default=-1) + 1
    for index, text in enumerate(texts[:last]):
        digest = hash((digest, text))
        tokens += count((text,)) + MESSAGE + 1
        if tokens >= least:
            found.append(Prefix(digest, tokens, breakpoints is None or index in breakpoints))
    return found


class PromptCache:
    """What is cached where."""

    __slots__ = ("_expiry", "_most", "_ttl")

    def __init__(self, ttl: int, most: int = MOST) -> None:
        """`ttl` in microseconds since the last use."""
        self._ttl = ttl
        self._most = most
        self._expiry: dict[tuple[str, str, int], int] = {}  # in the order of last use

    def read(self, organisation: str, model: str, prompt: list[Prefix], now: int) -> int:
        """Tokens of the longest prefix that is cached; 0 = none."""
        for prefix in reversed(prompt):
            if self._expiry.get((organisation, model, prefix.digest), 0) > now:
                return prefix.tokens
        return 0

    def write(self, organisation: str, model: str, prompt: list[Prefix], now: int) -> None:
        """An admitted call leaves all its prefixes, and those it read live on."""
        expiry = self._expiry
        for prefix in prompt:
            place = (organisation, model, prefix.digest)
            known = expiry.pop(place, None)
            if prefix.kept or (known is not None and known > now):
                expiry[place] = now + self._ttl
        while len(expiry) > self._most:
            del expiry[next(iter(expiry))]

    def clear(self) -> None:
        """Nothing is cached."""
        self._expiry.clear()
