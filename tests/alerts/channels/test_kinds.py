"""Every kind against an imitation of what it speaks to: taken, refused, ill-treated, and silent about its secrets."""

import logging
import traceback

import msgspec
import pytest

from tests.alerts.channels.stand import ROBOTS, SERVED, SETTINGS, notice, told
from tidegate.alerts.channels.table import OPENERS, open_channel
from tidegate.alerts.face import NotSent
from tidegate.clock import SystemClock
from tidegate.model.alerts import KINDS, RESOLVED
from tidegate.testing.channels import FAULTS, Stand, faults
from tidegate.testing.channels.stand import PASSWORD, SECRET, SIGNING, TOKEN

CANARIES = (TOKEN, SECRET, SIGNING, SIGNING.removeprefix("whsec_"), PASSWORD)
SHORT_US = 400_000
TITLES = {"en": "[CRITICAL] gpt-4o: rate-limited for 5 minutes", "zh": "【严重】gpt-4o 持续限流 5 分钟"}


def test_every_kind_can_be_opened() -> None:
    """The table has a row for each kind of the configuration."""
    assert set(OPENERS) == set(KINDS)


@pytest.mark.parametrize("language", ["en", "zh"])
@pytest.mark.parametrize("kind", SERVED)
async def test_a_notice_is_taken(stand: Stand, kind: str, language: str) -> None:
    """Signature, form and size are as the service wants them; it is taken once, with title and facts."""
    assert await told(stand.channel(kind, language=language)) is None
    (kept,) = stand.kept()
    assert kept.channel == kind
    assert TITLES[language].replace("[", "").replace("]", "") in kept.title.replace("[", "").replace("]", "")
    assert "Asia/Shanghai" in kept.text
    assert stand.refused == []


@pytest.mark.parametrize(
    ("kind", "changes", "remedy"),
    [
        ("dingtalk", {"secret": "SECwrong"}, "set `secret` to what stands below 加签"),
        ("dingtalk", {"secret": ""}, "this machine's clock"),
        ("dingtalk", {"url": "/robot/send?access_token=wrong"}, "copy the webhook's address anew into `url`"),
        ("wecom", {"url": "/cgi-bin/webhook/send?key=wrong"}, "copy the webhook's address anew into `url`"),
        ("feishu", {"secret": "wrong"}, "set `secret` to the one of 签名校验"),
        ("feishu", {"url": "/open-apis/bot/v2/hook/wrong"}, "copy the webhook's address anew into `url`"),
        ("slack", {"url": "/services/T0000/B0000/wrong"}, "make another webhook"),
    ],
)
async def test_a_wrong_secret_is_told_with_its_remedy(
    stand: Stand, kind: str, changes: dict[str, str], remedy: str
) -> None:
    """It is final, since only somebody can mend it, and neither the right secret nor the wrong one is in the words."""
    if "url" in changes:
        changes = {"url": stand.url + changes["url"]}
    error = await told(msgspec.structs.replace(stand.channel(kind), **changes))
    assert error is not None
    assert error.final
    assert remedy in str(error)
    assert not any(word in str(error) for word in (*CANARIES, "wrong"))
    assert stand.kept() == []


async def test_a_webhook_with_another_secret_is_tried_again(stand: Stand) -> None:
    """A receiver may learn its new secret later: 401 names the remedy, and is not final."""
    error = await told(msgspec.structs.replace(stand.channel("webhook"), secret="whsec_" + "d3Jvbmcy" * 4))
    assert str(error) == "refused it with status 401; give the receiver the same `secret`"
    assert error is not None
    assert not error.final


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("kind", ROBOTS)
async def test_no_fault_holds_a_channel(
    stand: Stand, kind: str, fault: str, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    """Whatever the other side does the send ends; it says so, and shows no secret, not even to who prints the trace."""
    caplog.set_level(logging.DEBUG)
    stand.fail(kind, fault)
    channel = stand.channel(kind, timeout_us=SHORT_US)
    error = await told(channel)
    if kind == "webhook" and fault in (faults.ENDLESS, faults.PAGE):  # 2xx is all that it asks for
        assert error is None
        return
    assert isinstance(error, NotSent)
    seen = (
        "".join(traceback.format_exception(error))
        + repr(error)
        + repr(channel)
        + caplog.text
        + "".join(capfd.readouterr())
    )
    assert not any(canary in seen for canary in CANARIES)


@pytest.mark.parametrize("kind", ROBOTS)
async def test_a_channel_is_taken_again_after_a_fault(stand: Stand, kind: str) -> None:
    """What failed is sent again with the same object, and is taken."""
    stand.fail(kind, faults.ERROR)
    channel = open_channel(stand.channel(kind), SETTINGS, SystemClock())
    with pytest.raises(NotSent, match=r"503"):
        await channel.send(notice())
    await channel.send(notice())
    assert len(stand.kept()) == 1


@pytest.mark.parametrize("kind", ROBOTS)
async def test_nobody_is_asked_again_before_it_wants(stand: Stand, kind: str) -> None:
    """429 with Retry-After: the time is told, and until then nothing is sent at all."""
    stand.fail(kind, faults.THROTTLED)
    channel = open_channel(stand.channel(kind), SETTINGS, SystemClock())
    for least in (7_000_000, 1):
        with pytest.raises(NotSent) as refused:
            await channel.send(notice())
        assert refused.value.retry_after_us is not None
        assert 7_000_000 >= refused.value.retry_after_us >= least
    assert stand.kept() == []


@pytest.mark.parametrize("kind", ROBOTS)
async def test_nobody_there(stand: Stand, kind: str) -> None:
    """A port where nobody listens is named by its host, and no more."""
    channel = stand.channel(kind)
    url = channel.url.replace(stand.url, "http://127.0.0.1:1")
    error = await told(msgspec.structs.replace(channel, url=url))
    assert error is not None
    assert "cannot connect to 127.0.0.1:1" in str(error)
    assert not any(canary in str(error) for canary in CANARIES)


@pytest.mark.parametrize("kind", ["dingtalk", "wecom", "feishu", "slack"])
async def test_who_is_called_by_name(stand: Stand, kind: str) -> None:
    """A number, an id and everybody are called when it fires, and nobody when it is over."""
    channel = msgspec.structs.replace(stand.channel(kind), mentions=("13800000000", "U07", "all"))
    assert await told(channel) is None
    assert await told(channel, notice(RESOLVED, named="n2")) is None if kind != "slack" else True
    called = msgspec.json.encode([kept.message for kept in stand.kept() if "已恢复" not in kept.title]).decode()
    assert all(word in called for word in ("U07", "all" if kind != "slack" else "!channel", "13800000000"))
    assert stand.refused == []
    over = [kept for kept in stand.kept() if "RESOLVED" in kept.title]
    assert not any("U07" in msgspec.json.encode(kept.message).decode() for kept in over)


async def test_wecom_calls_by_a_second_message_and_never_repeats_the_first(stand: Stand) -> None:
    """Numbers can be called by a text only. Where that fails, what is sent again is the text alone."""
    channel = msgspec.structs.replace(stand.channel("wecom"), mentions=("13800000000",))
    opened = open_channel(channel, SETTINGS, SystemClock())
    stand.fail("wecom", "", 1)
    stand.fail("wecom", faults.ERROR, 1)
    with pytest.raises(NotSent):
        await opened.send(notice())
    assert [kept.message["msgtype"] for kept in stand.kept()] == ["markdown"]
    await opened.send(notice())
    assert [kept.message["msgtype"] for kept in stand.kept()] == ["markdown", "text"]
