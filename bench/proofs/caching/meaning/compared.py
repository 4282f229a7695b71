"""Judged pairs after embedder, gate and hand: what the calibration and the curve are made from."""

import csv
import hashlib
import random
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bench.proofs.caching.meaning.embeddings import Embeddings
from bench.proofs.caching.meaning.pairs import FILES, Pair, halves, read_pairs
from tidegate.policy.caching.lexical import MORE, differs

VERDICTS = Path(__file__).with_name("verdicts.tsv")


@dataclass(frozen=True, slots=True)
class Compared:
    """A pair. `same` as it was judged in the data, `ours` as judged again by hand where it was."""

    script: str
    same: bool
    ours: bool
    similarity: float
    why: str  # of the gate

    def least(self, surcharge: float) -> float:
        """The threshold below which the pair is a hit; below 0 for none."""
        if self.why == MORE:
            return self.similarity - surcharge
        return -1.0 if self.why else self.similarity


def name_of(pair: Pair) -> str:
    """A pair is named without its text, which stays outside the repository."""
    return hashlib.blake2b(f"{pair.a}\t{pair.b}".encode(), digest_size=6).hexdigest()


def verdicts(path: Path = VERDICTS) -> dict[str, bool]:
    """What was judged again."""
    with path.open(encoding="utf-8", newline="") as file:
        return {row["pair"]: row["same"] == "1" for row in csv.DictReader(file, delimiter="\t")}


def sides(data: Path, embeddings: Embeddings) -> tuple[list[Compared], list[Compared], int]:
    """The half to calibrate on and the half to test on, of the pairs that are embedded; and how many are not.

    They are embedded in an order of chance, so those that are embedded are a sample.
    """
    judged, left = verdicts(), 0
    calibrate: list[Compared] = []
    test: list[Compared] = []
    for name in FILES:
        script = name[-6:-4]
        for side, pairs in zip((calibrate, test), halves(read_pairs(data, name)), strict=True):
            known = [pair for pair in pairs if embeddings.known(pair.a) and embeddings.known(pair.b)]
            left += len(pairs) - len(known)
            side.extend(compare(script, known, embeddings, judged))
    return calibrate, test, left


def compare(script: str, pairs: Sequence[Pair], embeddings: Embeddings, judged: dict[str, bool]) -> list[Compared]:
    """All of one script."""
    similarities = embeddings.similarities([(pair.a, pair.b) for pair in pairs])
    return [
        Compared(script, pair.same, judged.get(name_of(pair), pair.same), similarity, differs(pair.a, pair.b))
        for pair, similarity in zip(pairs, similarities, strict=True)
    ]


@dataclass(frozen=True, slots=True)
class Point:
    """At one threshold: the share of the true pairs that is hit, and how many hits are false."""

    threshold: float
    hits: int
    rate: float
    false: int  # as judged in the data
    corrected: int  # as judged by hand where it was


def curve(pairs: Iterable[Compared], surcharge: float | None) -> list[Point]:
    """From the highest threshold down. `surcharge` of a word more; None: no gate at all, a plain threshold."""
    rows = sorted(
        ((pair.similarity if surcharge is None else pair.least(surcharge), pair) for pair in pairs),
        key=lambda row: -row[0],
    )
    true = sum(pair.same for _, pair in rows)
    points, hits, false, corrected = [], 0, 0, 0
    for level, pair in rows:
        if level < 0:
            break
        hits += pair.same
        false += not pair.same
        corrected += not pair.ours
        points.append(Point(level, hits, hits / true, false, corrected))
    return points


def at_rate(points: Sequence[Point], rate: float) -> Point | None:
    """The first point that hits so many."""
    return next((point for point in points if point.rate >= rate), None)


def shuffled(pairs: Sequence[Compared], seed: int) -> list[Compared]:
    """A sample with replacement, as large."""
    chance = random.Random(seed)
    return [chance.choice(pairs) for _ in pairs]
