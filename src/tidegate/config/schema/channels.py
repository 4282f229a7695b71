"""The schema of channels. Which fields a kind uses, `rules/channels.py` knows."""

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from tidegate.config.base_url import BadUrl, check_proxy
from tidegate.config.schema.base import PASSWORD_INSIDE, Section, refused

_MENTION = re.compile(r"[^\s<>|@&\x00-\x1f\x7f]{1,64}")
_ADDRESS = re.compile(r"[^\s<>@\x00-\x1f\x7f]+@[^\s<>@\x00-\x1f\x7f]+")
_SECRET = re.compile(r"[\x21-\x7e]+")


def _mention(value: str) -> str:
    if not _MENTION.fullmatch(value):
        raise refused("nobody can be called so", "write a telephone number, an id of the channel's maker, or all")
    return value


def _mail_address(value: str) -> str:
    from email.utils import getaddresses  # noqa: PLC0415 - 8 ms that only a file with mail addresses costs

    found = getaddresses([value])
    if len(found) != 1 or not _ADDRESS.fullmatch(found[0][1]) or not value.isprintable():
        raise refused("no address", "for example ops@example.com or 值班组 <ops@example.com>")
    return value


def _secret(value: str) -> str:
    if not _SECRET.fullmatch(value):
        raise refused("empty, or with spaces or characters that no secret has", "check how it was copied")
    return value


def _word(value: str) -> str:
    if "\0" in value:
        raise refused("an argument cannot hold a NUL", "remove it")
    return value


def _proxy(value: str) -> str:
    if value in ("none", ""):
        return value
    try:
        return check_proxy(value)
    except BadUrl as error:
        raise refused(error.message, f"{error.remedy}; or none for a direct connection") from None


_Secret = Annotated[str, AfterValidator(_secret)]
_MailAddress = Annotated[str, AfterValidator(_mail_address)]


class ChannelConfig(Section):
    """Somebody who can be told. Each kind has fields of its own."""

    kind: Literal["dingtalk", "wecom", "feishu", "slack", "webhook", "email", "command", "apprise"] = Field(
        description="What it is; Lark is `feishu`.", examples=["slack"]
    )
    url: Annotated[str, Field(max_length=4_096)] | None = Field(
        None,
        repr=False,
        description="Its address, with its token; e-mail: `smtps://host`, `smtp://host` (STARTTLS) or "
        "`smtp+plain://host`; apprise: one of its URLs.",
        examples=['"${OPS_ROBOT}"'],
    )
    secret: _Secret | None = Field(
        None,
        repr=False,
        description="What is signed with: of DingTalk and Feishu the robot's, of a webhook `whsec_` and 24 to 64 bytes "
        "in base64.",
        examples=['"${OPS_ROBOT_SECRET}"'],
    )
    keyword: Annotated[str, Field(min_length=1, max_length=32)] | None = Field(
        None, description="One of the robot's keywords: it stands in every message.", examples=["tidegate"]
    )
    trusted_address: bool = Field(
        False, description="The robot knows this machine by its address, and asks for neither signature nor keyword.",
        examples=[True],
    )  # fmt: skip
    language: Literal["en", "zh"] | None = Field(
        None, description="Of its messages; left out: `alerts.language`.", examples=["zh"]
    )
    mentions: Annotated[list[Annotated[str, AfterValidator(_mention)]], Field(max_length=20)] = Field(
        [], description="Who is called by name: telephone numbers, ids or `all`; not when it is over.",
        examples=['["13800000000"]'],
    )  # fmt: skip
    username: Annotated[str, Field(min_length=1, max_length=256)] | None = Field(
        None, description="At the mail server.", examples=["ops@example.com"]
    )
    password: Annotated[str, Field(min_length=1, max_length=1_024)] | None = Field(
        None, repr=False, description="At the mail server.", examples=['"${SMTP_PASSWORD}"']
    )
    sender: _MailAddress | None = Field(
        None, description="From whom mails are.", examples=["Tidegate <tidegate@example.com>"]
    )
    receivers: Annotated[list[_MailAddress], Field(max_length=50)] = Field(
        [], description="To whom mails go.", examples=["[ops@example.com]"]
    )
    command: Annotated[list[Annotated[str, AfterValidator(_word)]], Field(max_length=64)] = Field(
        [], description="A program and its arguments, without a shell.", examples=["[/etc/tidegate/more-quota.sh]"]
    )
    per_minute: Annotated[int, Field(ge=1, le=6_000)] | None = Field(
        None, description="Messages per minute that it takes; left out: as its maker says.", examples=[20]
    )
    timeout_seconds: Annotated[float, Field(ge=0.5, le=300, allow_inf_nan=False)] = Field(
        10, description="For one message, whatever happens, in seconds.", examples=[10]
    )
    proxy: Annotated[str, AfterValidator(_proxy)] | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="`http://[user:password@]host:port`, or `none`; left out: from the environment.",
        examples=["http://proxy.example:3128"],
    )
