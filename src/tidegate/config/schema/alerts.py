"""The schema of alerts: what is watched, who is told of it, how often, and what is left unsaid."""

from typing import Annotated, Literal

from pydantic import Field

from tidegate.config.schema.access import Moment, ZoneName
from tidegate.config.schema.base import Name, Seconds, Section
from tidegate.config.schema.channels import ChannelConfig

Threshold = Annotated[float, Field(ge=0, le=1e18, allow_inf_nan=False)]
Duration = Annotated[float, Field(ge=0, le=2_592_000, allow_inf_nan=False)]
Severity = Literal["warning", "critical"]
Match = dict[Annotated[str, Field(min_length=1, max_length=64)], Annotated[str, Field(max_length=256)]]


class RuleConfig(Section):
    """One metric is watched, each of its label sets by itself. A built-in rule of the same name is changed by it."""

    metric: str | None = Field(
        None, description="One of the table in docs/alerts.md; left out: as the rule is named.",
        examples=["limited_seconds"],
    )  # fmt: skip
    warning: Threshold | None = Field(
        None, description="From here on it warns, in the metric's unit; left out: as built in, else never.",
        examples=[120],
    )  # fmt: skip
    critical: Threshold | None = Field(
        None, description="From here on it is critical; left out: as built in, else never.", examples=[300]
    )
    below: bool | None = Field(
        None, description="It fires at and below its thresholds, not at and above.", examples=[True]
    )
    match: Match = Field(
        {}, description="Only what has these labels; `*` at the end stands for any rest.", examples=["{model: gpt-*}"]
    )
    for_seconds: Duration | None = Field(
        None, description="So long beyond the threshold without a pause before it fires, in seconds.", examples=[30]
    )
    clear_percent: Annotated[float, Field(ge=1, le=100, allow_inf_nan=False)] = Field(
        90, description="Of its threshold: it ends only on the other side of that.", examples=[90]
    )
    clear_seconds: Duration = Field(60, description="And for so long, in seconds.", examples=[60])
    enabled: bool = Field(True, description="`false` switches it off, also one that is built in.", examples=[False])


class RouteConfig(Section):
    """Which alerts go where. Every route that matches is taken, and each channel is told once."""

    channels: Annotated[list[Name], Field(min_length=1)] = Field(description="Who is told.", examples=["[ops]"])
    severities: Annotated[list[Severity], Field(min_length=1)] = Field(
        ["warning", "critical"], description="Of which severities.", examples=["[critical]"]
    )
    rules: list[Name] = Field([], description="Of which rules; left out: all.", examples=["[limited_seconds]"])
    match: Match = Field(
        {}, description="Only what has these labels; `*` at the end stands for any rest.", examples=["{model: gpt-*}"]
    )
    group_by: Annotated[list[str], Field(max_length=5)] = Field(
        ["rule"], description="`rule` or labels: alerts that agree in these are one message.",
        examples=["[rule, model]"],
    )  # fmt: skip
    group_wait_seconds: Duration = Field(
        5, description="Before a group's first message, for others that come with it, in seconds.", examples=[5]
    )
    group_interval_seconds: Duration = Field(
        60, description="Between messages about changes of a group, in seconds; what becomes critical does not wait.",
        examples=[60],
    )  # fmt: skip
    repeat_seconds: Duration = Field(
        14_400, description="What nobody has taken is said again after so long, in seconds; 0: never.",
        examples=[14_400],
    )  # fmt: skip
    escalate_seconds: Duration = Field(
        0, description="What nobody has taken goes to `escalate_to` after so long, in seconds; 0: never.",
        examples=[900],
    )  # fmt: skip
    escalate_to: list[Name] = Field([], description="Channels that are told then.", examples=["[on-call]"])
    recovery: bool = Field(True, description="Say when it is over.", examples=[False])


class SilenceConfig(Section):
    """Between these moments matching alerts are known and not told."""

    match: Annotated[Match, Field(min_length=1)] = Field(
        description="Labels, and `rule`; `*` at the end stands for any rest.", examples=["{rule: limited_seconds}"]
    )
    since: Moment = Field(description="From when on.", examples=["2026-12-24T18:00:00+08:00"])
    until: Moment = Field(description="Until when.", examples=["2026-12-27"])
    why: Annotated[str, Field(max_length=256)] = Field("", description="For who reads it.", examples=["moving house"])


class AlertsConfig(Section):
    """What is watched, and who is told."""

    channels: dict[Name, ChannelConfig] = Field(
        {}, description="Who can be told, by name.", examples=["{ops: {kind: slack, url: …}}"]
    )
    rules: dict[Name, RuleConfig] = Field(
        {}, description="Rules beside the built-in ones, or in place of those of the same name.",
        examples=["{limited_seconds: {critical: 120}}"],
    )  # fmt: skip
    routes: list[RouteConfig] = Field(
        [], description="Which alerts go where; left out: all of them to all channels.",
        examples=["[{channels: [ops], severities: [critical]}]"],
    )  # fmt: skip
    silences: list[SilenceConfig] = Field(
        [], description="What is not told, and when.", examples=["[{match: {rule: drill_expired}, since: …, until: …}]"]
    )
    language: Literal["en", "zh"] = Field(
        "en", description="Of messages, where a channel says no other.", examples=["zh"]
    )
    zone: ZoneName = Field("UTC", description="Of moments in messages.", examples=["Asia/Shanghai"])
    gate: Annotated[str, Field(min_length=1, max_length=64)] = Field(
        "tidegate", description="How messages call this gate.", examples=["gate-eu"]
    )
    link: Annotated[str, Field(max_length=1_024)] = Field(
        "",
        description="A page for who wants to see more; messages point there.",
        examples=["https://gate.example/docs"],
    )
    look_seconds: Annotated[float, Field(ge=0.05, le=60, allow_inf_nan=False)] = Field(
        1, description="How often rules are judged, in seconds.", examples=[1]
    )
    missing_seconds: Seconds = Field(
        30, description="What nobody measures any more is over after so long, in seconds.", examples=[30]
    )
    give_up_seconds: Seconds = Field(
        3_600, description="A message that its channel does not take is given up after so long, in seconds.",
        examples=[3_600],
    )  # fmt: skip
