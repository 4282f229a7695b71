"""The schema of regions that share a provider's quota."""

from typing import Annotated

from pydantic import AfterValidator, Field

from tidegate.config.schema.base import PASSWORD_INSIDE, Name, Seconds, Section, refused
from tidegate.model.region_url import BadStore, etcd


def _store(value: str) -> str:
    try:
        etcd(value)
    except BadStore as error:
        raise refused(error.problem, error.remedy) from None
    return value


class RegionsConfig(Section):
    """One of several regions, each with a cluster of its own."""

    name: Name = Field(description="Of this region.", examples=["eu"])
    all: list[Name] = Field(
        description="All regions, this one included; the same list in each.", min_length=2, examples=["[eu, us, ap]"]
    )
    store: Annotated[str, AfterValidator(_store)] = Field(
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="Where parts are kept: `etcd+http://` or `etcd+https://` with the members' hosts, or `redis://` "
        "with its weaker promise; a password may stand in it.",
        examples=['"etcd+http://10.0.0.1,10.1.0.1,10.2.0.1"'],
    )
    prefix: Name = Field("tidegate", description="What its keys begin with.", examples=["tidegate"])
    node: Name | None = Field(
        None, description="This machine's name in its region; left out: as the cluster's node, else the host's name.",
        examples=["${HOSTNAME}"],
    )  # fmt: skip
    floor_percent: Annotated[float, Field(gt=0, le=50, allow_inf_nan=False)] = Field(
        5, description="Of each limit, what every region always has, also when it is cut off.", examples=[5]
    )
    lease_seconds: Annotated[float, Field(ge=1, le=600, allow_inf_nan=False)] = Field(
        10, description="For so long a region goes on with its part while the store is away, in seconds.", examples=[10]
    )
    rebalance_seconds: Seconds = Field(
        1, description="How often parts are looked at, in seconds; at least eight times in a lease.", examples=[1]
    )
    timeout_ms: Annotated[int, Field(ge=10, le=60_000)] = Field(
        1_000, description="Of one exchange with a server of the store, in milliseconds.", examples=[1_000]
    )
    scopes: list[str] = Field(
        [], description="The scopes that are shared, as `PROVIDER/SCOPE`; left out: all.", examples=["[openai/main]"]
    )
