"""Errors of channels that no single field shows: what a kind needs and lacks, what it has no use for, its address."""

from ipaddress import ip_address
from typing import NamedTuple
from urllib.parse import SplitResult, parse_qs

from pydantic_core import PydanticCustomError

from tidegate.config.base_url import BadUrl, split_url
from tidegate.config.findings import Path
from tidegate.config.rules.file import Refuse
from tidegate.config.schema.jobs import webhook_secret
from tidegate.config.source import Document, as_mapping


class _Kind(NamedTuple):
    """The fields of one kind beside those of all, and an address as it should be."""

    needs: tuple[str, ...]
    may: tuple[str, ...] = ()
    schemes: tuple[str, ...] = ("https", "http")
    example: str = ""
    token: str = ""  # the field of the query in which it stands
    segment: str = ""  # or what its path holds


_ALL = ("kind", "language", "per_minute", "timeout_seconds")
_KINDS = {
    "dingtalk": _Kind(
        ("url",), ("secret", "keyword", "trusted_address", "mentions", "proxy"),
        example="https://oapi.dingtalk.com/robot/send?access_token=…", token="access_token",  # noqa: S106 - its name
    ),
    "wecom": _Kind(
        ("url",), ("mentions", "proxy"),
        example="https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…", token="key",  # noqa: S106 - its name
    ),
    "feishu": _Kind(
        ("url",), ("secret", "keyword", "trusted_address", "mentions", "proxy"),
        example="https://open.feishu.cn/open-apis/bot/v2/hook/…", segment="/hook/",
    ),
    "slack": _Kind(
        ("url",), ("mentions", "proxy"), example="https://hooks.slack.com/services/…", segment="/",
    ),
    "webhook": _Kind(("url", "secret"), ("proxy",), example="https://hooks.example.com/alerts"),
    "email": _Kind(
        ("url", "sender", "receivers"), ("username", "password"), ("smtps", "smtp", "smtp+plain"),
        "smtps://smtp.example.com",
    ),
    "command": _Kind(("command",)),
    "apprise": _Kind(("url",)),
}  # fmt: skip
_MAKERS = ("dingtalk", "wecom", "feishu", "slack")
_REMEDIES = {
    "url": "add `url: {example}`, best as ${{VARIABLE}}",
    "secret": 'add `secret: "${{ALERT_SECRET}}"`, whsec_ and the output of: openssl rand -base64 32',
    "sender": "add `sender: Tidegate <tidegate@example.com>`",
    "receivers": "add `receivers: [ops@example.com]`",
    "command": "add `command: [/path/of/program]`",
}


def check_channels(document: Document) -> None:
    """Add to `document` what is wrong."""
    alerts = as_mapping(as_mapping(document.data).get("alerts"))
    for name, value in as_mapping(alerts.get("channels")).items():
        channel = {field: item for field, item in as_mapping(value).items() if item is not None}
        kind = channel.get("kind")
        if isinstance(kind, str) and kind in _KINDS:
            _check(kind, channel, ("alerts", "channels", str(name)), document.refuse)


def _check(kind: str, channel: dict[str, object], path: Path, refuse: Refuse) -> None:
    wants = _KINDS[kind]
    for field in wants.needs:
        if not channel.get(field):
            refuse(path, f"{_a(kind)} channel needs `{field}`", _REMEDIES[field].format(example=wants.example or "…"))
    known = (*_ALL, *wants.needs, *wants.may)
    every = {*_ALL, *(field for one in _KINDS.values() for field in (*one.needs, *one.may))}
    for field in channel:
        if field in every and field not in known:
            refuse((*path, field), f"{_a(kind)} channel has no use for it", f"remove it; it has {', '.join(known)}")
    url = channel.get("url")
    if isinstance(url, str) and url and "url" in known:
        _address(kind, url, (*path, "url"), refuse)
    _proof(kind, channel, path, refuse)


def _proof(kind: str, channel: dict[str, object], path: Path, refuse: Refuse) -> None:
    """How it is known that a message is ours."""
    secret = channel.get("secret")
    if kind == "dingtalk" and not (secret or channel.get("keyword") or channel.get("trusted_address") is True):
        remedy = (
            "choose 加签 in the robot's settings and add `secret: SEC…`, best as ${VARIABLE}; or say `keyword`, "
            "or `trusted_address: true`, as they are set there"
        )
        refuse(path, "a dingtalk robot takes nothing without a signature, a keyword or a trusted address", remedy)
    if kind == "webhook" and isinstance(secret, str) and secret:
        try:
            webhook_secret(secret)
        except PydanticCustomError as error:
            context = error.context or {}
            refuse((*path, "secret"), str(context["message"]), str(context["remedy"]))
    if kind == "email":
        _login(channel, path, refuse)
    command = channel.get("command")
    if kind == "command" and isinstance(command, list) and command and isinstance(command[0], str):
        program = command[0]
        if not program or ("/" in program and not program.startswith("/")):
            refuse((*path, "command", 0), "no program", "write its whole path, or the name of one on the PATH")


def _login(channel: dict[str, object], path: Path, refuse: Refuse) -> None:
    user, password, url = channel.get("username"), channel.get("password"), channel.get("url")
    if user and not password:
        refuse((*path, "username"), "a user without `password`", 'add `password: "${SMTP_PASSWORD}"`')
    if password and not user:
        refuse((*path, "password"), "a password without `username`", "add `username`, often the sender's address")
    if password and isinstance(url, str) and url.startswith("smtp+plain://"):
        refuse((*path, "url"), "a password would be sent readable for everybody", "write smtp:// or smtps://")


def _address(kind: str, url: str, path: Path, refuse: Refuse) -> None:
    wants = _KINDS[kind]
    if kind == "apprise":
        if "://" not in url:
            refuse(path, "no URL of apprise", "for example discord://webhook_id/webhook_token")
        return
    try:
        parts = split_url(url, wants.schemes, wants.example)
    except BadUrl as error:
        refuse(path, error.message, error.remedy)
        return
    example = f"for example {wants.example}"
    if "@" in parts.netloc:
        remedy = "write username and password as fields" if kind == "email" else "remove them"
        refuse(path, "the address holds a user or password", remedy)
    elif kind == "email":
        if parts.path not in ("", "/") or "?" in url or "#" in url:
            refuse(path, "a mail server's address has no path, query or fragment", example)
    elif "#" in url:
        refuse(path, "the address holds a fragment", example)
    elif kind in _MAKERS and parts.scheme == "http" and not _own(parts):
        refuse(path, "its token would be sent readable for everybody", "write https://")
    elif wants.token and not parse_qs(parts.query).get(wants.token):
        refuse(path, f"there is no {wants.token} in it", f"copy the robot's whole address; {example}")
    elif wants.segment and (wants.segment not in parts.path or parts.path.endswith(wants.segment)):
        refuse(path, "there is no token in it", f"copy the whole address; {example}")


def _own(parts: SplitResult) -> bool:
    """Is it on this machine?"""
    host = parts.hostname or ""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _a(kind: str) -> str:
    return f"an {kind}" if kind[0] in "ae" else f"a {kind}"
