"""Counting in texts that may be long, without holding the loop."""

SAMPLED = 65_536


def count(text: bytes, word: bytes) -> int:
    """How often `word` occurs; in a text of more than 64 KiB by its first and last 32 KiB. O(1) in longer texts."""
    length = len(text)
    if length <= SAMPLED:
        return text.count(word)
    half = SAMPLED // 2
    return (text.count(word, 0, half) + text.count(word, length - half)) * length // SAMPLED
