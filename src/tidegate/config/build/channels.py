"""From the checked configuration to the snapshot: channels."""

from collections.abc import Mapping

from tidegate.config.schema.channels import ChannelConfig
from tidegate.model.alerts import AlertChannel


def channels(items: Mapping[str, ChannelConfig], _environ: Mapping[str, str]) -> tuple[AlertChannel, ...]:
    """Their records, in the order of the file."""
    return tuple(AlertChannel(name, item.kind, item.url or "") for name, item in items.items())
