"""What notices say, to the letter, in both languages; and that labels are never markup."""

import json
import re
from pathlib import Path

import msgspec
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.alerts.channels.stand import AT, LIMITED, SECOND, SETTINGS, notice
from tidegate.alerts.channels.dingtalk import DingTalk
from tidegate.alerts.channels.feishu import Feishu
from tidegate.alerts.channels.machine import event
from tidegate.alerts.channels.slack import Slack
from tidegate.alerts.channels.spoken import Speaker
from tidegate.alerts.channels.wecom import WeCom
from tidegate.alerts.formats import cut, dingtalk, fitted, plain, unmarked, wecom
from tidegate.alerts.texts import LANGUAGES, clean, compose
from tidegate.alerts.words import Phrase, parts
from tidegate.model.alerts import (
    ESCALATED,
    FIRING,
    REPEATED,
    RESOLVED,
    TEST,
    WARNING,
    WORSE,
    AlertChannel,
    AlertItem,
    Notice,
)
from tidegate.model.measures import METRICS

GOLDEN = Path(__file__).parent / "golden"
STATES = (FIRING, WORSE, REPEATED, ESCALATED, RESOLVED, TEST)
TOKENS = AlertItem(
    "token_utilisation_percent", "token_utilisation_percent", WARNING,
    (("model", "gpt_4o*"), ("provider", "openai"), ("scope", "main")), 92.456, 90, AT - 65 * SECOND,
)  # fmt: skip
CHANNEL = AlertChannel("ops", "dingtalk", "https://robot.example/send?access_token=x", "SECx", mentions=("all",))
SPEAKERS: dict[str, Speaker] = {
    "dingtalk": DingTalk(CHANNEL, SETTINGS),
    "wecom": WeCom(CHANNEL, SETTINGS),
    "feishu": Feishu(CHANNEL, SETTINGS),
    "slack": Slack(CHANNEL, SETTINGS),
}
TITLES = {
    "en": [
        "[CRITICAL] gpt-4o: rate-limited for 5 minutes",
        "[CRITICAL, was WARNING] gpt-4o: rate-limited for 5 minutes",
        "[CRITICAL, still going on] gpt-4o: rate-limited for 5 minutes",
        "[CRITICAL, escalated] gpt-4o: rate-limited for 5 minutes",
        "[RESOLVED] gpt-4o: rate-limited; it lasted 5 minutes",
        "[TEST] prod-gate: alerts reach this channel",
    ],
    "zh": [
        "【严重】gpt-4o 持续限流 5 分钟",
        "【严重】（由警告升级）gpt-4o 持续限流 5 分钟",
        "【严重·持续中】gpt-4o 持续限流 5 分钟",
        "【严重·升级通知】gpt-4o 持续限流 5 分钟",
        "【已恢复】gpt-4o 持续限流，历时 5 分钟",
        "【测试】prod-gate：告警通道连通性测试",
    ],
}
PROBLEMS = {
    metric: (float(value), english, chinese)
    for line in (GOLDEN / "problems.tsv").read_text(encoding="utf-8").splitlines()
    for metric, value, english, chinese in [line.split("\t")]
}
SUBJECTS = [
    ((("model", "gpt-4o"), ("provider", "openai"), ("scope", "main")), "gpt-4o @ openai/main"),
    ((("model", ""), ("provider", "openai"), ("scope", "main")), "openai/main"),
    ((("plan", "chat"), ("target", "claude")), "chat → claude"),
    ((("plan", "chat"),), "chat"),
    ((("namespace", "acme"), ("period", "2026-11")), "acme"),
    ((("node", "n1"),), "节点 n1"),
    ((), "prod-gate"),
]


@pytest.mark.parametrize("language", ["en", "zh"])
def test_titles(language: str) -> None:
    """One line tells how bad it is, what it is, whose, and for how long."""
    said = [compose(notice(state, () if state == TEST else (LIMITED,)), SETTINGS, language).title for state in STATES]
    assert said == TITLES[language]


@pytest.mark.parametrize("metric", list(METRICS))
def test_every_metric_has_words(metric: str) -> None:
    """A metric without words in both languages would be told by its name: each has its own."""
    value, english, chinese = PROBLEMS[metric]
    item = AlertItem(metric, metric, WARNING, (("model", "gpt-4o"),), value, 1, AT)
    found = Notice("n1", FIRING, WARNING, AT, (item,))
    assert [compose(found, SETTINGS, language).title for language in ("en", "zh")] == [english, chinese]
    assert all(metric in words.phrases for words in LANGUAGES.values())


def test_a_test_is_nobodys_alert() -> None:
    """Whatever stands in it, what is told is that this is a test."""
    text = compose(notice(TEST), SETTINGS, "zh")
    assert (text.alerts, text.more, text.deeds) == ((), 0, ())
    assert "这是一条测试消息，无需处理。" in plain(text, 4_000)
    assert compose(notice(items=()), SETTINGS, "zh").title == "【严重】prod-gate"


def test_a_metric_that_nobody_has_put_into_words() -> None:
    """It is told by what the table of metrics, or else its author, calls it."""
    item = AlertItem("mine", "made_up", WARNING, (), 3, 1, AT)
    assert compose(notice(items=(item,)), SETTINGS, "zh").title == "【严重】prod-gate：made_up，3"


@pytest.mark.parametrize(("labels", "subject"), SUBJECTS)
def test_whose_trouble_it_is(labels: tuple[tuple[str, str], ...], subject: str) -> None:
    """The label that says most, and the gate where there is none."""
    item = msgspec.structs.replace(LIMITED, labels=labels)
    assert compose(notice(items=(item,)), SETTINGS, "zh").title == f"【严重】{subject} 持续限流 5 分钟"


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("form", ["plain", "dingtalk", "wecom", "feishu", "slack", "webhook"])
def test_golden(form: str, language: str) -> None:
    """A group of three, one of which is over, and of which five more are not shown: each form as it is sent."""
    over = msgspec.structs.replace(LIMITED, labels=(("model", "claude-3"),), resolved=True)
    found = notice(WORSE, (TOKENS, over, LIMITED), more=5)
    text = compose(found, SETTINGS, language)
    if form in SPEAKERS and form not in ("dingtalk", "wecom"):
        channel = msgspec.structs.replace(CHANNEL, language=language, secret="")
        speaker = type(SPEAKERS[form])(channel, SETTINGS)  # type: ignore[call-arg]
        body = speaker.requests(found, AT)[0].body
        said = json.dumps(json.loads(body), ensure_ascii=False, indent=1)
    elif form == "webhook":
        said = json.dumps(json.loads(event(found, SETTINGS, language)), ensure_ascii=False, indent=1)
    elif form == "plain":
        said = plain(text, 4_000)
    else:
        said = dingtalk(text, 20_000, "@13800000000") if form == "dingtalk" else wecom(text, 4_096, "<@ann>")
    assert said + "\n" == (GOLDEN / f"{form}.{language}.txt").read_text(encoding="utf-8")


MARKS = ("**", "`", "<", ">", "](", "\n- ", "\n#", "\n>", "~~", "|")
LABEL = st.text(
    st.one_of(st.sampled_from("*_`[](){}<>#~|\\!&\"'@\n\r\t\x00\u202e\u2028 \ud800a中"), st.characters()), max_size=40
)


@settings(deadline=None)
@given(value=LABEL, name=LABEL)
def test_labels_are_never_markup(value: str, name: str) -> None:
    """Whatever is in a label, a message has the marks that it would have without it, and no more."""
    item = msgspec.structs.replace(LIMITED, labels=(("model", value), (name, "x"), ("scope", value)), rule=value)
    harmless = msgspec.structs.replace(LIMITED, labels=(("model", "a"), ("name", "x"), ("scope", "a")), rule="a")
    for form, ending in ((dingtalk, "@all"), (wecom, "")):
        said, wanted = (form(compose(notice(items=(one,)), SETTINGS, "en"), 20_000, ending) for one in (item, harmless))
        assert [said.count(mark) for mark in MARKS] == [wanted.count(mark) for mark in MARKS]


@settings(deadline=None)
@example(value='"' * 40, count=40, more=7)
@given(value=LABEL, count=st.integers(0, 40), more=st.integers(0, 10_000))
def test_every_body_is_whole_and_within_its_limit(value: str, count: int, more: int) -> None:
    """However many alerts and whatever their labels: JSON, UTF-8, and never longer than the service takes."""
    items = [msgspec.structs.replace(LIMITED, labels=(("model", value + "值" * 90), ("plan", value)))] * count
    found = notice(items=items, more=more)
    for kind, speaker in SPEAKERS.items():
        for request in speaker.requests(found, AT):
            body = json.loads(request.body.decode())
            assert len(request.body) <= {"dingtalk": 20_000, "feishu": 20_000}.get(kind, 10**6)
            if kind == "wecom":
                inner = body[body["msgtype"]]["content"]
                assert len(inner.encode()) <= (4_096 if body["msgtype"] == "markdown" else 2_048)
            if kind == "slack":
                assert len(body["blocks"]) <= 50


@pytest.mark.parametrize("language", ["en", "zh"])
def test_what_has_no_room_is_counted(language: str) -> None:
    """A message is cut between alerts, and says how many more there are; none is cut in two."""
    items = [msgspec.structs.replace(LIMITED, labels=(("model", f"m{number}"),)) for number in range(28)]
    said = wecom(compose(notice(items=items, more=100), SETTINGS, language), 4_096, "")
    shown = len(re.findall(r"^\*\*", said, re.MULTILINE))
    assert 0 < shown < 28
    assert said.count("limited_seconds") == shown
    left = 128 - shown
    assert (f"… and {left} more" if language == "en" else f"……另有 {left} 条") in said


def test_ten_thousand_alerts_are_one_message_of_bounded_size() -> None:
    """Machines too get the first of them, and how many more there are."""
    found = notice(items=[LIMITED] * 10_000, more=5)
    data = json.loads(event(found, SETTINGS, "en"))["data"]
    assert (len(data["alerts"]), data["more"]) == (500, 9_505)
    assert len(compose(found, SETTINGS).alerts) < 50


def test_the_worst_is_not_cut_off() -> None:
    """Critical alerts stand before warnings, and what is over comes last."""
    over = msgspec.structs.replace(LIMITED, resolved=True)
    text = compose(notice(items=(over, TOKENS, LIMITED)), SETTINGS, "en")
    assert [alert.head.split(":")[0] for alert in text.alerts] == ["CRITICAL", "WARNING", "gpt-4o"]


def test_keyword() -> None:
    """A robot that asks for a keyword gets it in the title, where it is not there already."""
    assert compose(notice(), SETTINGS, "zh", "告警").title == "【严重】gpt-4o 持续限流 5 分钟 告警"
    assert compose(notice(), SETTINGS, "zh", "限流").title == "【严重】gpt-4o 持续限流 5 分钟"
    long = msgspec.structs.replace(LIMITED, labels=(("model", "m" * 96), ("provider", "p" * 96)))
    assert compose(notice(items=(long,)), SETTINGS, "zh", "告警").title.endswith(" 告警")


@settings(deadline=None)
@given(st.text(max_size=300))
def test_clean(value: str) -> None:
    """One line, bounded, without what cannot be seen or turns the direction of the text, and always encodable."""
    said = clean(value)
    assert len(said) <= 96
    assert len(said.splitlines()) <= 1
    assert said == said.encode().decode()
    assert not set(said) & set("\u202e\u2066\x00\u200b\r")


def test_clean_keeps_what_is_written() -> None:
    """Names in any script, emoji and marks stay."""
    assert clean("模型 gpt-4o_mini «é» 🚦") == "模型 gpt-4o_mini «é» 🚦"


@settings(deadline=None)
@given(st.text(max_size=60), st.integers(4, 80))
def test_cut(value: str, most: int) -> None:
    """Never longer, never within a character."""
    assert len(cut(value.encode(errors="ignore").decode(), most).encode()) <= most


def test_fitted_without_room() -> None:
    """Where not even the ends have room the whole is cut: a message goes out in any case."""
    assert fitted("head", ["x" * 50], lambda left: f"tail {left}", 8) == "headt…"


@pytest.mark.parametrize(
    ("value", "said"),
    [("a_b", "a_b"), ("_a_", "\uff3fa\uff3f"), ("[a](b)", "[a]（b)"), ("a*`<b>", "a\uff0a\uff40\uff1cb\uff1e")],
)
def test_unmarked(value: str, said: str) -> None:
    """Marks become their twins; an underscore within a word and brackets by themselves are none."""
    assert unmarked(value) == said


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0, [(0, "s")]),
        (-5, [(0, "s")]),
        (59.9, [(59, "s")]),
        (60, [(1, "min")]),
        (3_605, [(1, "h")]),
        (90_061, [(1, "d"), (1, "h")]),
    ],
)
def test_spans(seconds: float, said: list[tuple[int, str]]) -> None:
    """The two largest units, rounded down."""
    assert parts(seconds) == said


def test_phrases_have_their_places() -> None:
    """Each problem says whose it is, and each deed is a sentence."""
    for words in LANGUAGES.values():
        for one in words.phrases.values():
            assert isinstance(one, Phrase)
            assert "{what}" in one.problem
            assert one.deed.endswith((".", "。"))


def test_numbers_that_are_none() -> None:
    """Nothing is said of infinity and what is no number."""
    for value in (float("nan"), float("inf"), float("-inf")):
        for metric in ("error_rate_percent", "limited_seconds", "journal_behind_bytes"):
            item = msgspec.structs.replace(LIMITED, metric=metric, value=value)
            assert "?" in compose(notice(items=(item,)), SETTINGS).title
