"""Judged pairs of questions, in two halves that share no question."""

import csv
import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

FILES = ("question_pairs_en.tsv", "question_pairs_zh.tsv")


@dataclass(frozen=True, slots=True)
class Pair:
    """`same` as somebody judged it: the judgements are noisy."""

    a: str
    b: str
    same: bool


def read_pairs(data: Path, name: str) -> list[Pair]:
    """All pairs of a file, as they stand there."""
    with (data / name).open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file, delimiter="\t")
        return [Pair(row["text_a"], row["text_b"], row["same"] == "1") for row in rows]


def halves(pairs: Sequence[Pair]) -> tuple[list[Pair], list[Pair]]:
    """To calibrate on, and to test on. Pairs that share a question, also through others, are in the same half."""
    roots = _roots(pairs)
    calibrate: list[Pair] = []
    test: list[Pair] = []
    for pair in pairs:
        digest = hashlib.blake2b(roots[pair.a].encode(), digest_size=1).digest()
        (test if digest[0] & 1 else calibrate).append(pair)
    return calibrate, test


def _roots(pairs: Sequence[Pair]) -> dict[str, str]:
    """One question of each component of the graph whose edges are the pairs: the least, whatever the order of rows."""
    above: dict[str, str] = {}
    for pair in pairs:
        low, high = sorted((_top(above, pair.a), _top(above, pair.b)))
        above[low] = low
        above[high] = low
    return {text: _top(above, text) for text in tuple(above)}


def _top(above: dict[str, str], text: str) -> str:
    while (higher := above.setdefault(text, text)) != text:
        above[text] = above[higher]
        text = higher
    return text


def texts(pairs: Sequence[Pair]) -> Iterator[str]:
    """Every question, in order, again where it is asked again."""
    for pair in pairs:
        yield pair.a
        yield pair.b
