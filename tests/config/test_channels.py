"""Channels of alerts in the configuration: what they come to in the snapshot."""

import pytest

from tests.config.conftest import Loads, Refusals
from tidegate.model.alerts import AlertChannel

ALL = """
alerts:
  language: zh
  channels:
    ding: {kind: dingtalk, url: "${DING}", secret: "${DING_SECRET}", keyword: 告警, mentions: ["13800000000", all]}
    feishu: {kind: feishu, url: "https://open.larksuite.com/open-apis/bot/v2/hook/abc", language: en}
    hook: {kind: webhook, url: "http://hooks.internal/x", secret: "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX", proxy: none}
    mail:
      kind: email
      url: smtps://smtp.example.com
      username: gate@example.com
      password: "p ss"
      sender: 潮汐网关 <gate@example.com>
      receivers: [ops@example.com]
    quota: {kind: command, command: [more-quota, --now], timeout_seconds: 60, per_minute: 2}
    any: {kind: apprise, url: "discord://id/token"}
"""
DING = "https://oapi.dingtalk.com/robot/send?access_token=t0ken"


def test_channels(loads: Loads) -> None:
    """Secrets come from variables, a mail server's user stands in its address, proxies are the environment's."""
    environ = {"DING": DING, "DING_SECRET": "SEC1", "HTTPS_PROXY": "http://u:p@proxy:3128", "NO_PROXY": "larksuite.com"}
    found = loads(ALL, **environ).snapshot.alerts.channels
    assert found == (
        AlertChannel(
            "ding", "dingtalk", DING, "SEC1", "告警", "http://u:p@proxy:3128", mentions=("13800000000", "all")
        ),
        AlertChannel("feishu", "feishu", "https://open.larksuite.com/open-apis/bot/v2/hook/abc", language="en"),
        AlertChannel("hook", "webhook", "http://hooks.internal/x", "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX"),
        AlertChannel(
            "mail", "email", "smtps://gate%40example.com@smtp.example.com", "p ss",
            sender="潮汐网关 <gate@example.com>", receivers=("ops@example.com",),
        ),
        AlertChannel("quota", "command", command=("more-quota", "--now"), per_minute=2, timeout_us=60_000_000),
        AlertChannel("any", "apprise", "discord://id/token"),
    )  # fmt: skip


def test_a_channel_is_printed_without_its_secrets(loads: Loads) -> None:
    """By accident too."""
    environ = {"DING": DING, "DING_SECRET": "SEC1"}
    loaded = loads(ALL, **environ)
    for printed in (repr(loaded.snapshot.alerts), repr(loaded.config.alerts)):
        assert not any(secret in printed for secret in ("t0ken", "SEC1", "whsec_", "p ss", "discord://"))


def test_a_proxy_of_the_environment_that_cannot_be_used(refusals: Refusals) -> None:
    """It is told at the channel, with the remedy, and not repeated."""
    text = f'alerts: {{channels: {{ops: {{kind: dingtalk, trusted_address: true, url: "{DING}"}}}}}}'
    (line,) = refusals(text, HTTPS_PROXY="socks5://u:hidden@proxy")
    assert "alerts.channels.ops: the environment variable HTTPS_PROXY" in line
    assert "hidden" not in line


@pytest.mark.parametrize(
    "url", ["http://localhost:9200/robot/send?access_token=x", "http://[::1]/robot/send?access_token=x"]
)
def test_a_robot_on_this_machine_needs_no_tls(loads: Loads, url: str) -> None:
    """So that imitations and relays can be used."""
    text = f'alerts: {{channels: {{ops: {{kind: dingtalk, secret: SEC1, url: "{url}"}}}}}}'
    assert loads(text).snapshot.alerts.channels[0].url == url
