"""Texts are seeded, valid inside JSON, and about as long as asked, by a real tokenizer's count."""

import json
from random import Random

import pytest
import toktok

from tidegate.load.texts import BYTES_PER_TOKEN, Corpus, TextKind, Texts, escape

KINDS = list(TextKind)
SIZES = (30, 100, 400, 1_200, 4_000)


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts(7)


def read(piece: bytes) -> str:
    return json.loads(b'"' + piece + b'"')


@pytest.mark.parametrize("kind", KINDS)
def test_same_seed_same_text(kind: TextKind) -> None:
    """A text depends on the seed of the corpora and the state of the generator, and on nothing else."""
    one, two, other = (Texts(seed, 20_000).cut(kind, 300, Random(3)) for seed in (1, 1, 2))
    assert one == two
    assert one != other


@pytest.mark.parametrize("kind", KINDS)
def test_every_piece_is_text(texts: Texts, kind: TextKind) -> None:
    """A piece of any size closes no quote, splits no character and no escape, and is never empty."""
    random = Random(11)
    for tokens in range(1, 1_500):
        assert read(texts.cut(kind, tokens, random)).strip()


@pytest.mark.parametrize("kind", KINDS)
def test_size_on_average(texts: Texts, kind: TextKind) -> None:
    """Over many texts the count of `o200k_base` is within 3 % of what was asked for."""
    random = Random(5)
    wanted = [random.choice(SIZES) for _ in range(600)]
    counted = toktok.batch_count([read(texts.cut(kind, tokens, random)) for tokens in wanted], "o200k_base")
    assert sum(counted) == pytest.approx(sum(wanted), rel=0.03)


@pytest.mark.parametrize("kind", KINDS)
def test_size_of_each(texts: Texts, kind: TextKind) -> None:
    """A single text from 400 tokens on is within 35 %, and texts do differ: their size is an estimate."""
    random = Random(6)
    counted = toktok.batch_count([read(texts.cut(kind, 400, random)) for _ in range(200)], "o200k_base")
    assert all(260 <= count <= 540 for count in counted)
    assert len(set(counted)) > 20


def test_kinds_look_like_themselves(texts: Texts) -> None:
    """English is ASCII, Chinese mostly is not, code has lines, brackets and a question in front."""
    english, chinese, code = (read(texts.cut(kind, 500, Random(1))) for kind in KINDS)
    assert english.isascii()
    assert sum(not character.isascii() for character in chinese) > len(chinese) * 0.7
    assert code.count("\n") > 15
    assert code.count("(") > 10
    assert any(mark in code.splitlines()[0] for mark in ".?：？。")


def test_longer_than_the_corpus() -> None:
    """A text larger than its corpus repeats it and keeps its size."""
    piece = Texts(1, 10_000).cut(TextKind.ENGLISH, 20_000, Random(1))
    assert len(piece) == pytest.approx(20_000 * BYTES_PER_TOKEN[TextKind.ENGLISH], rel=0.01)
    read(piece)


def test_corpus_cuts_between_words() -> None:
    """A piece begins with a sentence and ends before a space, at or after the size asked for."""
    corpus = Corpus(["One two. ", "Three four five. "], _break())
    assert corpus.cut(5, 0.0) == b"One two."
    assert corpus.cut(1, 0.99) == b"Three"
    assert corpus.cut(len(corpus.text), 0.5) == corpus.text


def test_escape() -> None:
    """Quotes and line ends are escaped, other scripts are not."""
    assert escape('a "b"\n你') == 'a \\"b\\"\\n你'.encode()


def _break():
    import re

    return re.compile(rb" |\\n")
