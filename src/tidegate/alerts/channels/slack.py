"""Slack: incoming webhooks, with blocks.

Sources: docs.slack.dev, "Sending messages using incoming webhooks", "Rate limits" (one message a second, short bursts;
429 with `Retry-After`), "Changes to errors for incoming webhooks" of 2016, Block Kit's limits (as of 2026-11): a header
of 150 characters, a section of 3,000, 50 blocks. The address is the secret; the answer to what was taken is `ok`.
"""

from typing import Any, Final

import msgspec

from tidegate.alerts.channels.mentions import ALL
from tidegate.alerts.channels.pace import Pace
from tidegate.alerts.channels.post import Answer, Request
from tidegate.alerts.channels.spoken import Spoken
from tidegate.alerts.channels.trust import Trust
from tidegate.alerts.channels.verdicts import STATUSES, Verdict, refused
from tidegate.alerts.face import NotSent
from tidegate.alerts.formats import address, entities
from tidegate.alerts.texts import Paragraph, Text, compose
from tidegate.model.alerts import RESOLVED, AlertChannel, AlertSettings, Notice
from tidegate.ports import Clock

PER_MINUTE: Final = 60
PER_SECOND: Final = 1
_SECTION: Final = 3_000  # characters
_NEW: Final = "make another webhook and copy its address into `url`"
_SHAPE: Final = Verdict("Slack did not understand the message")

_WORDS: Final = {
    "invalid_payload": _SHAPE,
    "invalid_blocks": _SHAPE,
    "invalid_blocks_format": _SHAPE,
    "no_text": _SHAPE,
    "missing_text_or_fallback_or_attachments": _SHAPE,
    "no_service": Verdict("there is no such webhook, or it is switched off", _NEW),
    "no_service_id": Verdict("the address is not whole", "copy it anew into `url`"),
    "no_active_hooks": Verdict("the webhook is switched off", _NEW),
    "no_team": Verdict("there is no such workspace", _NEW),
    "team_disabled": Verdict("the workspace is switched off", _NEW),
    "invalid_token": Verdict("there is no webhook with this token", _NEW),
    "channel_not_found": Verdict("its channel is gone", _NEW),
    "channel_is_archived": Verdict("its channel is archived", "restore it, or " + _NEW),
    "user_not_found": Verdict("whom it writes to is gone", _NEW),
    "action_prohibited": Verdict("the workspace does not allow it", "ask its administrators"),
    "posting_to_general_channel_denied": Verdict("the workspace does not allow it", "choose another channel"),
    "rollup_error": Verdict("Slack is out of order", "", None, final=False),
}


class Slack:
    """`Speaker`."""

    __slots__ = ("_channel", "_settings")

    def __init__(self, channel: AlertChannel, settings: AlertSettings) -> None:
        self._channel = channel
        self._settings = settings

    def requests(self, notice: Notice, wall_us: int) -> list[Request]:
        text = compose(notice, self._settings, self._channel.language)
        called = () if notice.state == RESOLVED else self._channel.mentions
        body = {"text": entities(text.title), "blocks": _blocks(text, called)}
        return [Request(self._channel.url, msgspec.json.encode(body))]

    def judge(self, answer: Answer) -> None:
        said = answer.body[:64].decode("latin-1").strip()
        if answer.status == 200 and said == "ok":
            return
        known = _WORDS.get(said)
        if known is not None:
            remedy = f"; {known.remedy}" if known.remedy else ""
            raise NotSent(f"refused it with {said}: {known.meaning}{remedy}", known.pause_us, final=known.final)
        if answer.status == 200:
            raise NotSent("what answered is not Slack; check the host in `url`, and the proxy in between")
        raise refused(answer.status, STATUSES, "answered with status")


def open_slack(channel: AlertChannel, settings: AlertSettings, clock: Clock, trust: Trust) -> Spoken:
    """The row of the table."""
    pace = Pace(channel.per_minute or PER_MINUTE, PER_SECOND)
    return Spoken(channel, Slack(channel, settings), pace, clock, trust)


def _blocks(text: Text, called: tuple[str, ...]) -> list[dict[str, Any]]:
    """What comes from labels is plain, so that nothing in it is a mark."""
    words = text.words
    first = "\n".join([*text.remarks, f"{words.gate}{words.colon}{text.gate}"])
    found = [{"type": "header", "text": _plain(text.title)}, {"type": "section", "text": _plain(first)}]
    found += [{"type": "section", "text": _plain(_lines(alert, text)[:_SECTION])} for alert in text.alerts]
    if text.more:
        found.append({"type": "section", "text": _plain(words.more.format(count=text.more))})
    if text.deeds:
        found.append({"type": "section", "text": _plain(f"{words.deed}{words.colon}{' '.join(text.deeds)}")})
    last = [f"<{'!channel' if one == ALL else f'@{one}'}>" for one in called]
    last += [f"<{address(text.link).replace('|', '%7C')}|{words.link}>"] if text.link else []
    if last:
        found.append({"type": "section", "text": {"type": "mrkdwn", "text": " ".join(last)[:_SECTION]}})
    return found


def _lines(alert: Paragraph, text: Text) -> str:
    rows = [f"{name}{text.words.colon}{value}" for name, value in alert.rows]
    return "\n".join(rows if text.single else [alert.head, *rows])


def _plain(value: str) -> dict[str, Any]:
    return {"type": "plain_text", "text": value, "emoji": False}
