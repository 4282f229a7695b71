"""docs/alerts.md says of channels what they do."""

import json
import re
from pathlib import Path

import msgspec

from tests.alerts.channels.stand import AT, LIMITED, SETTINGS, notice
from tests.config.conftest import Loads
from tests.config.conftest import loads as loads
from tidegate.alerts.channels import apprise as any_service
from tidegate.alerts.channels import command, dingtalk, feishu, mail, slack, webhook, wecom
from tidegate.alerts.channels.machine import event
from tidegate.alerts.texts import compose
from tidegate.model.alerts import ESCALATED, KINDS, REPEATED, RESOLVED, TEST, WORSE
from tidegate.testing.channels import FAULTS

TEXT = (Path(__file__).parents[3] / "docs" / "alerts.md").read_text(encoding="utf-8")
PART = TEXT.partition("\n## Channels\n")[2].partition("\n## ")[0]
ENVIRONMENT = {
    "DINGTALK_URL": "https://oapi.dingtalk.com/robot/send?access_token=x",
    "DINGTALK_SECRET": "SEC1",
    "WECOM_URL": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=x",
    "SLACK_URL": "https://hooks.slack.com/services/T/B/x",
    "HOOK_SECRET": "whsec_AAECAwQFBgcICQoLDA0ODxAREhMUFRYX",
}
LIMITS = {
    "dingtalk": dingtalk.PER_MINUTE,
    "wecom": wecom.PER_MINUTE,
    "feishu": feishu.PER_MINUTE,
    "webhook": webhook.PER_MINUTE,
    "email": mail.PER_MINUTE,
    "command": command.PER_MINUTE,
    "apprise": any_service.PER_MINUTE,
}


def test_its_example_loads(loads: Loads) -> None:
    """With the variables that it names, and without a word of warning about channels."""
    example = re.findall(r"^```yaml\n(.*?)^```$", PART, re.MULTILINE | re.DOTALL)[0]
    settings = loads(example, **ENVIRONMENT).snapshot.alerts
    assert [channel.kind for channel in settings.channels] == ["dingtalk", "wecom", "slack", "webhook", "command"]


def test_its_table_has_every_kind_and_its_limit() -> None:
    """As the channels keep to them."""
    rows = {row[0]: row[1] for row in re.findall(r"^\| `(\w+)`.*\| ([^|]*) \|$", PART, re.MULTILINE) if row[0] in KINDS}
    assert set(rows) == set(KINDS)
    assert all(rows[kind].startswith(f"{limit} a minute") for kind, limit in LIMITS.items())
    assert slack.PER_SECOND == 1


def test_its_codes_are_known() -> None:
    """Every code that it explains is one that the channels explain too."""
    cells = re.findall(r"^\| (\d+[^|]*) \|", PART, re.MULTILINE)
    written = {int(code) for cell in cells for code in re.findall(r"\d{4,6}", cell)}
    known = {*dingtalk.KNOWN, *wecom.KNOWN, *feishu.KNOWN, 310000}
    assert written <= known
    assert len(written) > 15


def test_its_samples_are_what_is_sent() -> None:
    """The titles in both languages, and the JSON of webhooks."""
    twelve = AT - 720 * 1_000_000
    later = msgspec.structs.replace(LIMITED, since_us=twelve)
    for language in ("en", "zh"):
        title = compose(notice(), SETTINGS, language).title
        assert f"> **{title}**" in PART
        for state in (WORSE, REPEATED, ESCALATED):
            said = compose(notice(state), SETTINGS, language).title
            assert f"`{said.partition('gpt-4o')[0].rstrip() + (' ' if language == 'en' else '')}…`" in PART
        assert f"`{compose(notice(RESOLVED, (later,)), SETTINGS, language).title}`" in PART
        assert f"`{compose(notice(TEST, ()), SETTINGS, language).title}`" in PART
    block = json.loads(re.findall(r"^```json\n(.*?)^```$", PART, re.MULTILINE | re.DOTALL)[0])
    sent = json.loads(event(notice(), msgspec.structs.replace(SETTINGS, gate="tidegate", link=""), "en"))
    assert block | {"data": block["data"] | {"id": "n1", "text": sent["data"]["text"]}} == sent


def test_its_faults_are_those_there_are() -> None:
    """The list at its end."""
    assert all(f"`{fault}`" in PART for fault in FAULTS)
