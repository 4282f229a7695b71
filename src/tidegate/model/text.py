"""Counting in texts that may be long, without holding the loop."""

SAMPLED = 65_536


def count(text: bytes, word: bytes, sampled: int = SAMPLED) -> int:
    """How often `word` occurs; in a text of more than `sampled` bytes by the first and last half of so many.

    O(1) in longer texts.
    """
    length = len(text)
    if length <= sampled:
        return text.count(word)
    half = sampled // 2
    return (text.count(word, 0, half) + text.count(word, length - half)) * length // sampled
