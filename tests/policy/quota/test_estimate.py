"""Estimates held against a real tokenizer that they do not know."""

import json
from base64 import b64encode
from collections.abc import Callable
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from toktok import truncate

from tidegate.load.texts import TextKind, Texts
from tidegate.model.call import Kind, Size
from tidegate.policy.quota.estimate import Estimator, admission, measure
from tidegate.providers.openai import request

ENDLESS = 1 << 40
ENCODING = "o200k_base"
TEXTS = Texts(7)


def generated(kind: TextKind) -> Callable[[Random], str]:
    return lambda random: str(json.loads(b'"' + TEXTS.cut(kind, length(random), random) + b'"'))


def length(random: Random) -> int:
    return int(2 ** random.uniform(3, 11))


def in_base64(random: Random) -> str:
    return b64encode(random.randbytes(2 * length(random))).decode()


def numbers(random: Random) -> str:
    return "\n".join(
        ",".join(str(random.randint(0, 99_999)) for _ in range(8)) for _ in range(1 + length(random) // 30)
    )


ENGLISH, CHINESE, CODE = (generated(kind) for kind in (TextKind.ENGLISH, TextKind.CHINESE, TextKind.CODE))
KINDS = {"English": ENGLISH, "Chinese": CHINESE, "code": CODE, "base64": in_base64, "numbers": numbers}


def size_of(body: bytes) -> Size:
    asked = request.read(Kind.CHAT, body)
    return measure(asked.text, asked.wide, asked.escaped, asked.messages, asked.images, asked.low_images)


def call(text: str, *, escaped: bool = False) -> Size:
    return size_of(
        json.dumps({"model": "m", "messages": [{"role": "user", "content": text}]}, ensure_ascii=escaped).encode()
    )


def counted(text: str) -> int:
    """By OpenAI's documented rule: the text, three for the message, its role, three for the answer."""
    return truncate(text, ENDLESS, ENCODING)[1] + 3 + 1 + 3


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS.keys())
def test_a_cold_estimate_is_cautious(kind: Callable[[Random], str]) -> None:
    """Before anything is learnt the estimate is an upper one, for every kind of text; three times at most in sum."""
    random = Random(1)
    texts = [kind(random) for _ in range(150)]
    estimates = [Estimator().upper(call(text)) for text in texts]
    real = [counted(text) for text in texts]
    assert sum(estimate < count for estimate, count in zip(estimates, real, strict=True)) <= 1
    assert sum(real) < sum(estimates) < 3 * sum(real)


def learnt(kind: Callable[[Random], str], random: Random, calls: int) -> tuple[list[int], list[int], list[int]]:
    """Upper estimates, expectations and real counts, once fifty replies of a text's class have been seen."""
    estimator, seen = Estimator(), dict.fromkeys(range(37), 0)
    upper, expected, real = [], [], []
    for _ in range(calls):
        text = kind(random)
        size, count = call(text), counted(text)
        if seen[size.kind] >= 50:
            upper.append(estimator.upper(size))
            expected.append(estimator.expected(size))
            real.append(count)
        estimator.learn(size, count)
        seen[size.kind] += 1
    return upper, expected, real


MIXES: dict[str, Callable[[Random], str]] = {
    **KINDS,
    "mixed": lambda random: random.choice((ENGLISH, CHINESE, CODE))(random),
    "joined": lambda random: random.choice((ENGLISH, CHINESE))(random) + "\n" + CODE(random),
}


@pytest.mark.parametrize("kind", MIXES.values(), ids=MIXES.keys())
def test_a_learnt_estimate_covers_and_does_not_waste(kind: Callable[[Random], str]) -> None:
    """Of each kind 97 % of the counts lie below it, their sum does, and it is at most 60 % too high."""
    upper, expected, real = learnt(kind, Random(2), 900)
    covered = sum(count <= bound for bound, count in zip(upper, real, strict=True))
    assert covered >= 0.97 * len(real)
    assert sum(real) < sum(upper) < 1.6 * sum(real)
    assert sum(expected) == pytest.approx(sum(real), rel=0.06)


@given(st.floats(0.01, 2), st.floats(0, 0.3), st.integers(0, 10**9))
def test_learning_converges(ratio: float, spread: float, seed: int) -> None:
    """On a class of one ratio with some spread: mean within the spread, and the bound above all but a few."""
    random, estimator, size = Random(seed), Estimator(), Size(5, 10_000, 7)
    counts = [7 + int(10_000 * ratio * (1 + spread * (2 * random.random() - 1))) for _ in range(300)]
    for count in counts:
        estimator.learn(size, count)
    assert estimator.expected(size) == pytest.approx(7 + 10_000 * ratio, rel=spread / 2 + 0.01)
    assert sum(count <= estimator.upper(size) for count in counts) >= 0.97 * len(counts)
    assert estimator.upper(size) <= (7 + 10_000 * ratio) * (1 + 2.5 * spread) + 0.02 * 10_000


def test_it_follows_a_change_upwards_within_a_few_replies() -> None:
    """Another tokenizer behind the same name: a third more tokens are covered after ten replies."""
    estimator, size = Estimator(), Size(6, 1_000, 0)
    for _ in range(100):
        estimator.learn(size, 200)
    for _ in range(10):
        estimator.learn(size, 266)
    assert estimator.upper(size) >= 266


def test_classes_learn_apart() -> None:
    """What is learnt of one kind of text says nothing of another."""
    estimator = Estimator()
    for _ in range(20):
        estimator.learn(Size(6, 1_000, 0), 100)
    assert estimator.upper(Size(6, 1_000, 0)) < 150
    assert estimator.upper(Size(0, 1_000, 0)) == Estimator().upper(Size(0, 1_000, 0))


def test_a_count_below_what_is_fixed_teaches_nothing() -> None:
    """A ratio is never zero or negative."""
    estimator = Estimator()
    estimator.learn(Size(6, 1_000, 50), 50)
    estimator.learn(Size(6, 1_000, 50), 0)
    assert estimator.dump() == Estimator().dump()


def test_what_was_learnt_survives_a_restart() -> None:
    """And anything of another shape is ignored."""
    old, new = Estimator(), Estimator()
    for count in (180, 220, 200):
        old.learn(Size(6, 1_000, 0), count)
    new.load(old.dump())
    assert new.dump() == old.dump()
    assert new.upper(Size(6, 1_000, 0)) == old.upper(Size(6, 1_000, 0))
    new.load([(9.0, 9.0, 9)])
    assert new.dump() == old.dump()


# ── measuring ────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    "text", ["你好，世界。" * 40, "本日は会議の資料を確認し" * 30, "中文 mixed with English " * 30]
)
def test_escaped_text_is_measured_like_plain_text(text: str) -> None:
    """Half of all JSON writers send Chinese as escapes, six bytes for three."""
    plain, escaped = call(text), call(text, escaped=True)
    assert escaped.kind == plain.kind
    assert escaped.weight == plain.weight


def test_escaped_text_is_estimated_like_plain_text() -> None:
    """What was learnt from one holds for the other."""
    random, estimator = Random(3), Estimator()
    for _ in range(120):
        text = CHINESE(random)
        estimator.learn(call(text), counted(text))
    for _ in range(60):
        text = CHINESE(random)
        assert estimator.upper(call(text, escaped=True)) == estimator.upper(call(text))


def test_kinds_of_text_fall_into_different_classes() -> None:
    """English, code, base64 and Chinese of one length."""
    texts = ["the quick brown fox " * 60, "if(a==b){return f(x) ;}" * 50, "iVBORw0KGgoAAAANSUhEUg" * 50, "中文" * 200]
    assert len({call(text).kind for text in texts}) == 4


def test_messages_cost_a_few_tokens_each_and_their_frames_no_text() -> None:
    """Many short messages are not one long text."""
    body = {"model": "m", "messages": [{"role": "user", "content": "hi"}] * 50}
    size = size_of(json.dumps(body, separators=(",", ":")).encode())
    assert size.fixed == 50 * 4 + 3
    assert size.weight < 50 * 10


def test_images_are_a_class_of_their_own() -> None:
    """Whatever an image costs at this model is learnt, and text alone is not estimated by it."""

    def picture(detail: str) -> dict[str, object]:
        return {"type": "image_url", "image_url": {"url": "https://example.com/a.png", "detail": detail}}

    def with_picture(detail: str, text: str) -> Size:
        content = [{"type": "text", "text": text}, picture(detail)]
        return size_of(json.dumps({"model": "m", "messages": [{"role": "user", "content": content}]}).encode())

    estimator, text = Estimator(), "What is in this picture? " * 4
    assert estimator.upper(with_picture("high", text)) > 1_105
    assert estimator.upper(with_picture("low", text)) < 300
    for _ in range(10):
        estimator.learn(with_picture("high", text), 25_500)  # gpt-4o-mini
    assert 25_500 <= estimator.upper(with_picture("high", text)) < 30_000
    assert estimator.upper(call(text)) < 100


@given(st.binary(max_size=2_000), st.integers(0, 700), st.integers(0, 100), st.integers(0, 20), st.integers(0, 5))
def test_every_measure_can_be_estimated(text: bytes, wide: int, escaped: int, messages: int, images: int) -> None:
    """Whatever is measured: a class that exists, and at least one token."""
    size = measure(text, wide + escaped, escaped, messages, images, images // 2)
    assert size.weight >= 1
    assert Estimator().upper(size) >= Estimator().expected(size) >= 0
    assert Estimator().upper(size) >= 1


@pytest.mark.parametrize(
    ("rule", "prompt", "output", "tokens"),
    [
        ("max", 100, 500, 500),
        ("max", 500, 100, 500),
        ("max", 500, 0, 500),
        ("sum", 100, 500, 600),
        ("prompt", 100, 500, 100),
    ],
)
def test_what_a_limiter_charges(rule: str, prompt: int, output: int, tokens: int) -> None:
    """By the profile's rule."""
    assert admission(rule, prompt, output) == tokens
