"""From the checked configuration to the snapshot: channels."""

from collections.abc import Mapping
from urllib.parse import quote

from tidegate.config.proxies import environment_proxy
from tidegate.config.schema.channels import ChannelConfig
from tidegate.model.alerts import AlertChannel

SPOKEN = frozenset({"dingtalk", "wecom", "feishu", "slack", "webhook"})  # by HTTP
_SECOND = 1_000_000


def channels(items: Mapping[str, ChannelConfig], environ: Mapping[str, str]) -> tuple[AlertChannel, ...]:
    """Their records, in the order of the file. Raises `BadProxy`."""
    return tuple(_channel(name, item, environ) for name, item in items.items())


def channel_proxy(item: ChannelConfig, environ: Mapping[str, str]) -> str:
    """The URL of the proxy for a channel, "" for none. Raises `BadProxy` when the environment's is wrong."""
    if item.kind not in SPOKEN or item.proxy == "none":
        return ""
    return item.proxy or environment_proxy(item.url or "", environ)


def _channel(name: str, item: ChannelConfig, environ: Mapping[str, str]) -> AlertChannel:
    return AlertChannel(
        name=name,
        kind=item.kind,
        url=_url(item),
        secret=(item.password if item.kind == "email" else item.secret) or "",
        keyword=item.keyword or "",
        proxy=channel_proxy(item, environ),
        language=item.language or "",
        mentions=tuple(item.mentions),
        sender=item.sender or "",
        receivers=tuple(item.receivers),
        command=tuple(item.command),
        per_minute=item.per_minute or 0,
        timeout_us=round(item.timeout_seconds * _SECOND),
    )


def _url(item: ChannelConfig) -> str:
    """A mail server's with the user in it."""
    url = item.url or ""
    if item.kind != "email" or not item.username:
        return url
    scheme, _, rest = url.partition("://")
    return f"{scheme}://{quote(item.username, safe='')}@{rest}"
