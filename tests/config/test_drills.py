"""Drills in the file: what they come to, what is refused, and what `check` says of them."""

import json

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.config.advice import drills as advice
from tidegate.config.split import split
from tidegate.model.drills import JUDGE, LENGTH, TOOL, Expectation
from tidegate.model.snapshot import decode, encode

GATE = """\
providers:
  openai:
    dialect: openai
    base_url: https://api.openai.com/v1
    scopes: [{name: main, keys: [sk-1], limits: {gpt-4o: {rpm: 5}, judge: {rpm: 5}}}]
    models: {gpt-4o: {context: 128000, price: {input: 2, output: 8}}}
  claude:
    dialect: anthropic
    base_url: https://api.anthropic.com
    scopes: [{name: main, keys: [none]}]
    models: {claude: {tools: false, price: {input: 3, output: 15}}}
strategies:
  chat: {primary_model: gpt-4o, fallback_models: [{model: claude}], on_unsupported: refuse}
  alone: {primary_model: gpt-4o}
"""


def drill(*fields: str, expect: str = "{language: en}", prompt: str = "prompt: Hello") -> str:
    return f"{GATE}drills:\n  d: {{{', '.join((f'prompts: [{{{prompt}, expect: [{expect}]}}]', *fields))}}}\n"


def test_what_it_comes_to(loads: Loads) -> None:
    """All strategies with fallbacks, defaults, and what is known of the models."""
    settings = loads(drill()).snapshot.drills
    found = settings.drills[0]
    assert (found.strategies, found.every_us, found.expires_us) == (("chat",), 86_400_000_000, 604_800_000_000)
    assert (found.prompts[0].name, json.loads(found.prompts[0].messages)[0]["content"]) == ("1", "Hello")
    assert settings.asked
    primary, fallback = settings.strategies[0].targets
    assert (primary.model, primary.context, primary.limited, primary.keyed) == ("gpt-4o", 128_000, True, True)
    assert (primary.prompt_nano, primary.completion_nano) == (2_000_000_000, 8_000_000_000)
    assert (fallback.dialect, fallback.tools, fallback.keyed, fallback.local) == ("anthropic", False, False, False)
    assert settings.strategies[0].strict


def test_every_field_arrives(loads: Loads) -> None:
    """In the record's units."""
    text = drill(
        "strategies: [chat]", 'cron: "0 3 * * *"', "zone: Asia/Shanghai", "expires_days: 2", "faults: [cut]",
        "pass_mark: 90", "repeat: 3", "timeout_seconds: 5", "max_tokens: 9", "max_cost: 0.5", "on_failure: out",
        "judge: judge", "embedder: gpt-4o", "dearer_than: 2",
    )  # fmt: skip
    found = loads(text).snapshot.drills.drills[0]
    assert (found.cron, found.zone, found.expires_us) == ("0 3 * * *", "Asia/Shanghai", 172_800_000_000)
    assert (found.faults, found.pass_permille, found.repeat, found.timeout_us) == (("cut",), 900, 3, 5_000_000)
    assert (found.max_tokens, found.max_cost_nano, found.on_failure) == (9, 500_000_000, "out")
    assert (found.judge, found.embedder, found.dearer_milli) == ("judge", "gpt-4o", 2_000)


@pytest.mark.parametrize(
    ("text", "expectation"),
    [
        ("{contains: [a, b], ignore_case: true}", Expectation("contains", words=("a", "b"), fold=True)),
        ("{regex: '[0-9]+', weight: 3}", Expectation("regex", 3, text="[0-9]+")),
        ("{is_json: true}", Expectation("is_json")),
        ("{json_schema: {type: object}}", Expectation("json_schema", schema='{"type": "object"}')),
        ("{max_seconds: 2.5}", Expectation("max_seconds", most=2.5)),
        ("{length: {min: 3}}", Expectation(LENGTH, least=3)),
        ("{finish_reason: [stop]}", Expectation("finish_reason", words=("stop",))),
        ("{tool: {name: f}}", Expectation(TOOL, text="f")),
        ("{similar: {to: abc, at_least: 0.5}}", Expectation("similar", text="abc", least=0.5)),
        ("{judge: {rubric: good}}", Expectation(JUDGE, text="good", least=7)),
    ],
)
def test_expectations(loads: Loads, text: str, expectation: Expectation) -> None:
    """Each kind in its record, with its weight."""
    assert loads(drill("judge: judge", expect=text)).snapshot.drills.drills[0].prompts[0].expect == (expectation,)


def test_a_conversation_with_images(loads: Loads) -> None:
    """System, text and images become messages; messages are taken as they are."""
    text = drill(prompt='prompt: What is it?, system: Be brief, images: ["https://x/y.png"]')
    found = loads(text).snapshot.drills.drills[0].prompts[0]
    system, user = json.loads(found.messages)
    assert (system["content"], user["content"][1]["image_url"]["url"]) == ("Be brief", "https://x/y.png")
    assert found.images
    own = loads(drill(prompt="messages: [{role: user, content: 你好}]")).snapshot.drills.drills[0].prompts[0]
    assert json.loads(own.messages) == [{"role": "user", "content": "你好"}]


@pytest.mark.parametrize(
    ("text", "field"),
    [
        (drill("strategies: [nobody]"), "drills.d.strategies[0]: there is no such strategy"),
        (drill("strategies: [alone]"), "drills.d.strategies[0]: this strategy has no fallback"),
        (drill(expect="{judge: {rubric: good}}"), "drills.d.prompts[0].expect[0].judge: nobody judges"),
        (drill(expect="{contains: [a], is_json: true}"), "expect[0]: it expects several things"),
        (drill(expect="{}"), "expect[0]: it expects several things, or none"),
        (drill(expect="{regex: '('}"), "expect[0].regex: no regular expression"),
        (drill(expect="{json_schema: {type: 5}}"), "expect[0].json_schema: no JSON schema"),
        (drill('cron: "0 25 * * *"'), "drills.d.cron: no schedule"),
        (drill('cron: "0 3 30 2 *"'), "drills.d.cron: no schedule"),
        (drill("zone: Mars/Olympus"), "drills.d.zone"),
        (drill(prompt="prompt: a, messages: [{role: user}]"), "prompts[0]: it has both"),
        (drill("faults: [meteor]"), "drills.d.faults[0]"),
        (drill("repeat: 10"), "drills.d.repeat"),
    ],
)
def test_what_is_refused(refusals: Refusals, text: str, field: str) -> None:
    """With its field and a remedy."""
    found = refusals(text)
    assert any(field in line and "; " in line for line in found), found


def test_two_prompts_of_one_name(refusals: Refusals) -> None:
    """Verdicts are told by it."""
    prompt = "{name: a, prompt: x, expect: [{language: en}]}"
    text = f"{GATE}drills: {{d: {{prompts: [{prompt}, {prompt}]}}}}\n"
    assert "another prompt" in refusals(text)[0]


def test_what_is_said(loads: Loads, monkeypatch: pytest.MonkeyPatch) -> None:
    """Judges that nobody serves or that grade themselves, proofs that are too old too soon, likeness by words."""
    monkeypatch.setattr(advice, "find_spec", lambda _: None)

    def said(*fields: str, **more: str) -> str:
        text = drill(*fields, **more).replace("dialect: anthropic", "dialect: openai")  # two, so none has any model
        return "\n".join(one.text("f") for one in loads(text).warnings if "drills" in one.text("f"))

    assert said() == ""
    assert "no provider serves" in said("judge: nobody-9")
    assert "grades itself" in said("judge: claude")
    assert "too old" in said("expires_days: 1")
    assert "by their words" in said(expect="{similar: {to: abc}}")


def test_a_worker_knows_only_that_there_are_some(loads: Loads) -> None:
    """Neither questions nor prices."""
    snapshot = loads(drill()).snapshot
    assert decode(encode(snapshot)) == snapshot
    (worker,) = split(snapshot)
    assert worker.drills.asked
    assert not worker.drills.drills
    assert not worker.drills.strategies
