"""Imitations are strict: what a service would refuse they refuse, with its code."""

import asyncio
import json
import signal
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.alerts.channels.stand import notice, told
from tidegate.config.load import load
from tidegate.testing.channels import Stand
from tidegate.testing.channels.dingtalk import DingTalk
from tidegate.testing.channels.feishu import Feishu
from tidegate.testing.channels.records import Asked, Imitation
from tidegate.testing.channels.slack import Slack
from tidegate.testing.channels.webhook import Webhook
from tidegate.testing.channels.wecom import WeCom

NOW = 1_700_000_000
TEXT = {"msgtype": "markdown", "markdown": {"title": "t", "text": "x"}}
CARD = {
    "msg_type": "interactive",
    "card": {
        "header": {"title": {"tag": "plain_text", "content": "t"}},
        "elements": [{"tag": "div", "text": {"tag": "plain_text", "content": "x"}}],
    },
}
BLOCK = {"type": "section", "text": {"type": "plain_text", "text": "x"}}
MAKERS: dict[str, Callable[[], Imitation]] = {
    "dingtalk": lambda: DingTalk("T", keyword="x"),
    "wecom": lambda: WeCom("K"),
    "feishu": lambda: Feishu("F", keyword="x"),
    "slack": lambda: Slack("S"),
}
IMITATIONS: dict[str, tuple[dict[str, Any], str]] = {
    "dingtalk": (TEXT, "access_token=T"),
    "wecom": ({"msgtype": "markdown", "markdown": {"content": "x"}}, "key=K"),
    "feishu": (CARD, ""),
    "slack": ({"text": "x", "blocks": [BLOCK]}, ""),
}


def asked(robot: Imitation, body: object, query: str, kind: str = "application/json") -> Asked:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    pairs = dict(pair.split("=", 1) for pair in query.split("&") if pair)
    return Asked(robot.path.partition("?")[0], pairs, {"content-type": kind}, raw)


def said(kind: str, change: dict[str, Any] | bytes | None = None, query: str | None = None) -> str:
    """A fresh robot's answer to a good message with this change."""
    robot, good, own = MAKERS[kind](), *IMITATIONS[kind]
    body = change if isinstance(change, bytes) else {**good, **(change or {})}
    return robot.take(asked(robot, body, own if query is None else query), NOW).said.body.decode()


@pytest.mark.parametrize("kind", list(IMITATIONS))
def test_what_is_good_is_taken(kind: str) -> None:
    """The message that the tests below change."""
    assert "0" in said(kind) or said(kind) == "ok"


@pytest.mark.parametrize(
    ("kind", "change", "answer"),
    [
        ("dingtalk", {"msgtype": "news"}, "400105"),
        ("dingtalk", {"markdown": {"title": "", "text": "x"}}, "40035"),
        ("dingtalk", {"markdown": {"title": "t", "text": "y"}}, "keywords not in content"),
        ("dingtalk", {"markdown": {"title": "t", "text": "x" * 20_000}}, "460101"),
        ("dingtalk", {"at": {"atMobiles": ["138"]}}, "不合法的参数 at"),
        ("dingtalk", {"at": {"isAtAll": "yes"}}, "isAtAll"),
        ("dingtalk", {"more": 1}, "40035"),
        ("dingtalk", b"{", "40035"),
        ("dingtalk", b"[]", "40035"),
        ("wecom", {"msgtype": "news"}, "40008"),
        ("wecom", {"markdown": {"content": ""}}, "44004"),
        ("wecom", {"markdown": {"content": "值" * 1_366}}, "exceed max length 4096"),
        ("wecom", {"markdown": {"content": "x", "mentioned_mobile_list": ["138"]}}, "40058"),
        ("wecom", b"\xff", "40058"),
        ("feishu", {"msg_type": "text"}, "19002"),
        ("feishu", {"card": {}}, "11246"),
        ("feishu", {"card": {**CARD["card"], "elements": [{"tag": "table"}]}}, "11246"),  # type: ignore[dict-item]
        ("feishu", {"more": "x" * 20_000}, "9499"),
        ("feishu", b"", "9499"),
        ("slack", {"text": ""}, "no_text"),
        ("slack", {"blocks": [BLOCK] * 51}, "invalid_blocks"),
        ("slack", {"blocks": [{"type": "header", "text": {"type": "mrkdwn", "text": "x"}}]}, "invalid_blocks"),
        ("slack", {"blocks": [{"type": "section", "text": {"type": "mrkdwn", "text": "x" * 3_001}}]}, "invalid_blocks"),
        ("slack", b"x", "invalid_payload"),
    ],
)
def test_what_is_refused(kind: str, change: dict[str, Any] | bytes, answer: str) -> None:
    """Forms and sizes."""
    assert answer in said(kind, change)


def test_signatures_grow_old() -> None:
    """An hour at DingTalk and Feishu, five minutes of a webhook; and what is not signed is refused."""
    ding = DingTalk("T", "SEC1")
    late = ding.take(asked(ding, TEXT, f"access_token=T&timestamp={(NOW - 3_601) * 1_000}&sign=x"), NOW)
    assert "invalid timestamp" in late.said.body.decode()
    feishu = Feishu("F", "S")
    for message in (
        CARD,
        {**CARD, "timestamp": str(NOW - 3_601), "sign": "x"},
        {**CARD, "timestamp": NOW, "sign": "x"},
    ):
        assert "19021" in feishu.take(asked(feishu, message, ""), NOW).said.body.decode()
    hook = Webhook("whsec_" + "Y2FuYXJ5" * 4)
    assert hook.take(asked(hook, {}, ""), NOW).said.body == b"bad_timestamp"


def test_wrong_tokens_are_refused() -> None:
    """Each in its own words."""
    assert "300001" in said("dingtalk", query="access_token=x")
    assert "93000" in said("wecom", query="key=x")


def test_a_process_with_all_of_them(tmp_path: Path) -> None:
    """The command prints a section that loads, shows what it took, and fails as it is told."""
    words = [sys.executable, "-m", "tidegate.testing.channels", "--port", "0"]
    process = subprocess.Popen(words, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        section = "".join(process.stdout.readline() for _ in range(9))
        path = tmp_path / "gate.yaml"
        path.write_text(section, encoding="utf-8")
        settings = load(str(path), {}).snapshot.alerts
        assert [channel.kind for channel in settings.channels][:2] == ["dingtalk", "wecom"]
        slack = next(channel for channel in settings.channels if channel.kind == "slack")
        base = slack.url.partition("/services")[0]
        assert asyncio.run(told(slack)) is None
        line = json.loads(process.stdout.readline())
        assert line["channel"] == "slack"
        with urllib.request.urlopen(f"{base}/_kept") as answer:
            assert json.load(answer)[0]["title"] == line["title"]
        order = urllib.request.Request(f"{base}/_fault?channel=slack&kind=error", method="POST")
        urllib.request.urlopen(order).close()
        assert "503" in str(asyncio.run(told(slack, notice(named="n2"))))
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(20) == 0
        process.stdout.close()


def test_what_nobody_knows(stand: Stand) -> None:
    """Other paths and methods are refused."""
    for body, status in ((b"", 404), (None, 405)):
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"{stand.url}/nothing", body)
        assert refused.value.code == status
        refused.value.close()
