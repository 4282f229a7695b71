"""The schema of telemetry: traces and metrics for other systems."""

import re
from typing import Annotated

from pydantic import AfterValidator, Field

from tidegate.config.base_url import BadUrl, clean_base_url
from tidegate.config.schema.base import Name, Seconds, Secret, Section, ShareText, refused

_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,128}")


def _endpoint(value: str) -> str:
    try:
        return clean_base_url(value)
    except BadUrl as error:
        raise refused(error.message, "for example http://collector.internal:4318, without /v1/traces") from None


def _header(value: str) -> str:
    if _HEADER.fullmatch(value) is None:
        raise refused("not usable as the name of a header", "for example authorization")
    return value


class TelemetryConfig(Section):
    """OpenTelemetry, by OTLP over HTTP; needs `tidegate[otel]`. Nothing that was said in a call is ever sent."""

    endpoint: Annotated[str, AfterValidator(_endpoint)] | None = Field(
        None, description="Where traces and metrics go, without /v1/traces; left out: nowhere.",
        examples=["http://collector.internal:4318"],
    )  # fmt: skip
    headers: dict[Annotated[str, AfterValidator(_header)], Secret] = Field(
        {}, repr=False, description="Header lines for it, as a key.", examples=['{x-api-key: "${OTLP_KEY}"}']
    )
    sample: ShareText = Field(
        "1%", description="Of the calls that neither failed nor were slow; all others are always sent.",
        examples=["10%"],
    )  # fmt: skip
    slow_seconds: Seconds = Field(30, description="From so long on a call is slow, in seconds.", examples=[10])
    metrics: bool = Field(True, description="Send metrics too?", examples=["false"])
    metrics_every_seconds: Seconds = Field(15, description="How often, in seconds.", examples=[60])
    propagate: bool = Field(
        True, description="Take up `traceparent` of clients, and hand it on to providers?", examples=["false"]
    )
    service: Name = Field("tidegate", description="What this gate is called there.", examples=["gate-eu"])
