"""What the configuration alone says of a fallback."""

import msgspec

from tidegate.model.drills import Drill, DrilledStrategy, DrillPrompt, DrillTarget
from tidegate.policy.drills.checks import Crossing, check, likely_tokens

PRIMARY = DrillTarget(
    "main", "a", "openai", "https://a.example/v1", context=128_000, prompt_nano=100, completion_nano=200, limited=True
)
GOOD = msgspec.structs.replace(PRIMARY, model="good", provider="b", base_url="https://b.example/v1")
PROMPT = DrillPrompt("p", '[{"role": "user", "content": "Hello"}]', (), max_tokens=10)


def found(target: DrillTarget, *prompts: DrillPrompt, strict: bool = False, **crossing: object) -> set[tuple[str, str]]:
    drill = Drill("d", ("s",), prompts or (PROMPT,))
    crossings = {("d", "p", "anthropic"): Crossing(**crossing)} if crossing else {}  # type: ignore[arg-type]
    strategy = DrilledStrategy("s", (PRIMARY, target), strict)
    return {(one.level, one.code) for one in check(strategy, [drill], crossings)}


def changed(**fields: object) -> DrillTarget:
    return msgspec.structs.replace(GOOD, **fields)


def test_a_good_one() -> None:
    """Nothing is said."""
    assert found(GOOD) == set()


def test_beside_its_primary() -> None:
    """What works worse, costs more, or falls with it."""
    assert found(changed(context=32_000)) == {("warning", "context")}
    assert found(changed(tools=False)) == {("warning", "tools")}
    assert found(changed(images=False)) == {("warning", "images")}
    assert found(changed(prompt_nano=301)) == {("warning", "price")}
    assert found(changed(prompt_nano=300)) == set()
    assert found(changed(provider="a")) == {("warning", "independence")}
    assert found(changed(base_url=PRIMARY.base_url)) == {("warning", "independence")}


def test_what_is_not_known() -> None:
    """A note, and an error where there is no key."""
    assert found(changed(context=0)) == {("note", "context_unknown")}
    assert found(changed(limited=False)) == {("note", "limits_unknown")}
    assert found(changed(prompt_nano=0)) == {("note", "price_unknown")}
    assert found(changed(keyed=False)) == {("error", "key")}
    assert found(changed(keyed=False, local=True, prompt_nano=0)) == set()


def test_what_the_questions_need() -> None:
    """A context that they fit, tools and images."""
    long = msgspec.structs.replace(PROMPT, messages='["' + "word " * 4_000 + '"]')
    assert ("error", "context") in found(changed(context=100), long)
    assert ("warning", "context") in found(changed(context=4_000), long)
    assert ("error", "tools") in found(changed(tools=False), msgspec.structs.replace(PROMPT, tools="[1]"))
    assert ("error", "images") in found(changed(images=False), msgspec.structs.replace(PROMPT, images=True))


def test_what_a_dialect_cannot_say() -> None:
    """Left out and said, or an error where that is refused, or where nothing can be said."""
    other = changed(dialect="anthropic")
    assert found(other, dropped=("seed",)) == {("warning", "dialect")}
    assert found(other, dropped=("seed",), strict=True) == {("error", "dialect")}
    assert found(other, impossible="no images by URL") == {("error", "dialect")}


def test_tokens_are_about_right() -> None:
    """One for a Chinese character, one for four others."""
    assert likely_tokens(DrillPrompt("p", "退" * 100, ())) == 104
    assert likely_tokens(DrillPrompt("p", "a" * 100, ())) == 29
