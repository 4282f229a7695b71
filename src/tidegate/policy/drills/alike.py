"""How alike two texts are: by vectors, or, where nobody makes any, by the words that they share."""

import math
import re
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from tidegate.policy.drills.language import is_han

_WORDS: Final = re.compile(r"[^\W_]+")


def cosine(one: Sequence[float], other: Sequence[float]) -> float | None:
    """None: they cannot be compared."""
    if len(one) != len(other) or not one:
        return None
    length = math.hypot(*one) * math.hypot(*other)
    if not 0 < length < math.inf:
        return None
    return sum(a * b for a, b in zip(one, other, strict=True)) / length


def common_words(answer: str, reference: str) -> float:
    """F1 of the words that both have, each as often; of Chinese the characters and their pairs. 0 to 1. O(characters).

    It knows words and not what they mean: a text in other words counts as another one.
    """
    one, other = _terms(answer), _terms(reference)
    shared = sum((one & other).values())
    total = sum(one.values()) + sum(other.values())
    return 2 * shared / total if total else 0.0


def _terms(text: str) -> Counter[str]:
    found: Counter[str] = Counter()
    for word in _WORDS.findall(text.casefold()):
        han = [sign for sign in word if is_han(sign)]
        found.update(han)
        found.update(one + two for one, two in pairwise(han))
        rest = "".join(sign for sign in word if not is_han(sign))
        if rest:
            found[rest] += 1
    return found
