"""What can be asked of spend, calls and audit: query parameters, unknown ones refused."""

from collections.abc import Iterator
from itertools import islice
from typing import Annotated, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field

from tidegate.config.schema.access import Moment, ZoneName
from tidegate.config.schema.base import ModelName, Name

MAX_ID = 2**62
Group = Literal["namespace", "user", "key", "plan", "model", "provider", "scope", "tag", "hour", "day", "month"]
Tag = Annotated[str, Field(max_length=128, pattern=r"^[^\x00-\x1f\x7f]*$")]
Zone = Annotated[ZoneName, Field(max_length=64)]
Cursor = Annotated[str, Field(pattern=r"^[0-9]{1,16}-[0-9]{1,18}$")]
_Item = TypeVar("_Item")
Limit = Annotated[int, Field(ge=1, le=1_000)]


class Asked(BaseModel):
    """Query parameters."""

    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)

    def filters(self, *names: str) -> dict[str, str]:
        """Those of these that were given."""
        return {name: value for name in names if (value := getattr(self, name)) is not None}


class Page(Asked):
    """Which part of a list."""

    offset: int = Field(0, ge=0, le=1_000_000_000, description="So many are left out at the beginning.")
    limit: Limit = 1_000

    def of(self, items: Iterator[_Item]) -> list[_Item]:
        """That part; at its end fewer than `limit`."""
        return list(islice(items, self.offset, self.offset + self.limit))


class MonthQuery(Asked):
    """Of which month, and whose."""

    namespace: Name | None = None
    zone: Zone = Field("UTC", description="Of the month, for example Asia/Shanghai.")


class SpendQuery(Asked):
    """Which spend, and how it is grouped."""

    by: list[Group] = Field([], max_length=4, description="Groups, at most four: repeat it.")
    since: Moment | None = Field(None, description="Left out: the month's beginning.")
    until: Moment | None = Field(None, description="Left out: now.")
    zone: Zone = Field("UTC", description="Of days and months, for example Asia/Shanghai.")
    output: Literal["json", "csv"] = "json"
    namespace: Name | None = None
    user: Name | None = None
    key: Name | None = None
    plan: ModelName | None = Field(None, description="The strategy or model that was asked for.")
    model: ModelName | None = Field(None, description="The model that served.")
    provider: Name | None = None
    scope: Name | None = None
    tag: Tag | None = None


class UtilisationQuery(Asked):
    """When, and whose."""

    since: Moment | None = Field(None, description="Left out: the month's beginning.")
    until: Moment | None = Field(None, description="Left out: now.")
    zone: Zone = "UTC"
    namespace: Name | None = None
    provider: Name | None = None
    scope: Name | None = None
    model: ModelName | None = None


class AuditQuery(Asked):
    """Which changes."""

    namespace: Name | None = None
    actor: Name | None = Field(None, description="The name of a token.")
    action: Name | None = Field(None, description="As `key.revoke`, or how it begins.")
    since: Moment | None = None
    until: Moment | None = None
    before_id: int = Field(0, ge=0, le=MAX_ID, description="The page after the one that ends with it.")
    limit: Limit = 100
