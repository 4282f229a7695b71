"""How much two answers to one question agree: of a primary model, and of a candidate for its place."""

from typing import Final, NamedTuple

from tidegate.model.shadow import EXACT
from tidegate.policy.drills.alike import common_words

MOST: Final = 4_096  # characters of an answer that are compared: some milliseconds


class Said(NamedTuple):
    """An answer's text, and how it ended (`providers/answers/finish.py`)."""

    text: str
    ended: str


def agreement(one: Said, other: Said, how: str) -> int:
    """In thousandths. Who wants a tool called does not agree with who says something instead. O(characters)."""
    if one.ended != other.ended and "tools" in (one.ended, other.ended):
        return 0
    left, right = _plain(one.text), _plain(other.text)
    if left == right:
        return 1_000
    return 0 if how == EXACT else min(999, round(1_000 * common_words(left[:MOST], right[:MOST])))


def _plain(text: str) -> str:
    """However it is spaced."""
    return " ".join(text.split())
