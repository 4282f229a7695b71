"""The twin's own way of counting: a real BPE (o200k). The gate does not know it and learns from usage and headers.

What a chat costs beyond its texts is OpenAI's documented rule: 3 tokens a message, 1 for a name, 3 to prime the answer.
"""

from collections.abc import Iterable
from typing import Final

MESSAGE: Final = 3
NAME: Final = 1
PRIMING: Final = 3
_MEMO_TEXTS: Final = 4_096
_MEMO_CHARS: Final = 4_096


class Tokenizer:
    """Counts tokens; remembers short texts, because chats resend their history. Loading takes 0.7 s and 50 MB."""

    __slots__ = ("_count", "_memo")

    def __init__(self) -> None:
        from toktok import batch_count  # noqa: PLC0415 - 20 ms and its tables: only when a twin is made

        self._count = batch_count
        self._memo: dict[str, int] = {}
        self.count(("load the tables now, not in the first call",))

    def count(self, texts: Iterable[str]) -> int:
        """Tokens of all texts together. About 50 µs for a fresh kilobyte, linear in length."""
        memo, total, fresh = self._memo, 0, []
        for text in texts:
            known = memo.get(text)
            if known is None:
                fresh.append(text)
            else:
                total += known
        return total + self._learn(fresh) if fresh else total

    def _learn(self, texts: list[str]) -> int:
        counts = self._count(texts, "o200k_base", 1)
        if len(self._memo) + len(texts) > _MEMO_TEXTS:
            self._memo.clear()
        self._memo.update((text, n) for text, n in zip(texts, counts, strict=True) if len(text) <= _MEMO_CHARS)
        return sum(counts)
