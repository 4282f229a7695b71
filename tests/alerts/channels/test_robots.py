"""What robots say, and what it means: every documented code, in the words of its service."""

import json

import pytest

from tests.alerts.channels.stand import SECOND, SETTINGS
from tidegate.alerts.channels.dingtalk import DingTalk
from tidegate.alerts.channels.dingtalk import signature as dingtalk_signature
from tidegate.alerts.channels.feishu import Feishu
from tidegate.alerts.channels.feishu import signature as feishu_signature
from tidegate.alerts.channels.post import Answer
from tidegate.alerts.channels.slack import Slack
from tidegate.alerts.channels.spoken import Speaker
from tidegate.alerts.channels.wecom import WeCom
from tidegate.alerts.face import NotSent
from tidegate.model.alerts import AlertChannel

CHANNEL = AlertChannel("ops", "dingtalk", "https://robot.example/send?access_token=x", "SECx")
SPEAKERS = {
    "dingtalk": DingTalk(CHANNEL, SETTINGS),
    "wecom": WeCom(CHANNEL, SETTINGS),
    "feishu": Feishu(CHANNEL, SETTINGS),
    "slack": Slack(CHANNEL, SETTINGS),
}
LINK = "link:请参考本接口对应文档获得具体要求"


def said(body: object, status: int = 200) -> Answer:
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return Answer(status, raw, whole=True, retry_after_us=None)


def judged(speaker: Speaker, answer: Answer) -> NotSent | None:
    try:
        speaker.judge(answer)
    except NotSent as error:
        return error
    return None


@pytest.mark.parametrize(
    ("kind", "answer", "words", "final", "pause_s"),
    [
        ("dingtalk", {"errcode": 310000, "errmsg": "sign not match, more: [x]"}, "accept the signature", True, None),
        (
            "dingtalk",
            {"errcode": 310000, "errmsg": f"description:机器人发送签名不匹配;solution:请确认签名和时间戳;{LINK}"},
            "accept the signature",
            True,
            None,
        ),
        (
            "dingtalk",
            {"errcode": 310000, "errmsg": f"description:关键词不匹配;solution:请联系群管理员;{LINK}"},
            "set `keyword`",
            True,
            None,
        ),
        ("dingtalk", {"errcode": 310000, "errmsg": "keywords not in content, more: [x]"}, "set `keyword`", True, None),
        ("dingtalk", {"errcode": 310000, "errmsg": "ip 1.2.3.4 not in whitelist"}, "machine's address", True, None),
        ("dingtalk", {"errcode": 310000, "errmsg": "description:invalid timestamp"}, "clock", True, None),
        ("dingtalk", {"errcode": 300001, "errmsg": "token is not exist"}, "no robot with this token", True, None),
        ("dingtalk", {"errcode": 130101, "errmsg": "send too fast, exceed 20 times per minute"}, "20", False, 600),
        ("dingtalk", {"errcode": 460101, "errmsg": "message too long, exceed 20000 bytes"}, "too long", True, None),
        ("dingtalk", {"errcode": -1, "errmsg": "系统繁忙"}, "busy", False, None),
        ("dingtalk", {"errcode": 77, "errmsg": "secret SECx"}, "code 77; look it up", False, None),
        ("wecom", {"errcode": 45009, "errmsg": "api freq out of limit"}, "more than 20", False, 60),
        ("wecom", {"errcode": 93000, "errmsg": "invalid webhook url, hint: [1], from ip: x"}, "this key", True, None),
        ("wecom", {"errcode": 40058, "errmsg": "markdown.content exceed max length 4096"}, "too long", True, None),
        ("feishu", {"code": 19021, "msg": "sign match fail or timestamp is not within"}, "签名校验", True, None),
        ("feishu", {"code": 19024, "msg": "Key Words Not Found"}, "set `keyword`", True, None),
        ("feishu", {"code": 19022, "msg": "Ip Not Allowed"}, "this machine's address", True, None),
        ("feishu", {"code": 19001, "msg": "param invalid: incoming webhook access token invalid"}, "token", True, None),
        ("feishu", {"code": 9499, "msg": "Bad Request", "data": {}}, "malformed", True, None),
        ("feishu", {"code": 9499, "msg": "too many request"}, "more than 100", False, 60),
        ("feishu", {"code": 11232, "msg": "frequency limited psm[x]appID[1500]"}, "more than 100", False, 60),
        ("feishu", {"StatusCode": 19001, "StatusMessage": "x"}, "no bot with this token", True, None),
    ],
)  # fmt: skip
def test_codes(kind: str, answer: object, words: str, final: bool, pause_s: int | None) -> None:
    """Each is told with its remedy; whether it is over, or when to come again, is right; its words are not repeated."""
    error = judged(SPEAKERS[kind], said(answer))
    assert error is not None
    assert words in str(error)
    assert error.final is final
    assert error.retry_after_us == (None if pause_s is None else pause_s * SECOND)
    assert "SECx" not in str(error)


@pytest.mark.parametrize(
    ("kind", "answer"),
    [
        ("dingtalk", {"errcode": 0, "errmsg": "ok"}),
        ("wecom", {"errcode": 0, "errmsg": "ok"}),
        ("feishu", {"StatusCode": 0, "StatusMessage": "success", "code": 0, "data": {}, "msg": "success"}),
        ("feishu", {"code": 0, "msg": "success", "Extra": None}),
        ("slack", b"ok"),
    ],
)
def test_taken(kind: str, answer: object) -> None:
    """What services say to what they took."""
    assert judged(SPEAKERS[kind], said(answer)) is None


@pytest.mark.parametrize(
    ("status", "body", "words", "final"),
    [
        (400, b"invalid_payload", "did not understand", True),
        (403, b"action_prohibited", "ask its administrators", True),
        (404, b"no_service", "make another webhook", True),
        (404, b"channel_not_found", "its channel is gone", True),
        (410, b"channel_is_archived", "restore it", True),
        (500, b"rollup_error", "out of order", False),
        (200, b"<html>", "is not Slack", False),
        (404, b"<html>", "nothing at this address", True),
        (302, b"", "a redirect, which is not followed", True),
    ],
)
def test_words_of_slack(status: int, body: bytes, words: str, final: bool) -> None:
    """Slack answers in words."""
    error = judged(SPEAKERS["slack"], said(body, status))
    assert error is not None
    assert words in str(error)
    assert error.final is final


@pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"null", b'{"errcode":"0"}', b"\xff", b"1" * 9_000])
def test_what_is_no_robot(body: bytes) -> None:
    """An answer without a code is no success, whatever its status."""
    for kind in ("dingtalk", "wecom", "feishu"):
        error = judged(SPEAKERS[kind], said(body))
        assert error is not None
        assert "what answered is no robot" in str(error)
        assert not error.final


def test_signatures() -> None:
    """As the examples of the documents compute them: known values, made with the published code."""
    import base64
    import hashlib
    import hmac

    secret, at = "SEC000", 1_700_000_000
    theirs = hmac.new(secret.encode(), f"{at * 1000}\n{secret}".encode(), digestmod=hashlib.sha256).digest()
    assert dingtalk_signature(secret, at * 1000) == base64.b64encode(theirs).decode()
    theirs = hmac.new(f"{at}\n{secret}".encode(), digestmod=hashlib.sha256).digest()
    assert feishu_signature(secret, at) == base64.b64encode(theirs).decode()
    assert dingtalk_signature("SEC000", 1_700_000_000_000) == "ltBBey5eZrWKh1cPzFIdz3v3xpkc4Tjx4lLsPSHqdtA="
    assert feishu_signature("SEC000", 1_700_000_000) == "QKhXycVUGrhA1dUEbXA2Vo/zGkv/W88IgYgKNA7Xmk0="
