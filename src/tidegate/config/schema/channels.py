"""The schema of channels."""

from typing import Literal

from pydantic import Field

from tidegate.config.schema.base import Section


class ChannelConfig(Section):
    """Somebody who can be told."""

    kind: Literal["dingtalk", "wecom", "feishu", "slack", "webhook", "email", "command", "apprise"] = Field(
        description="What it is.", examples=["slack"]
    )
    url: str | None = Field(None, repr=False, description="Its address.", examples=['"${SLACK_URL}"'])
