"""Tables of the trends: what each lane used by minute and by hour, and the limits that were in force.

A *lane* is what has a quota of its own: provider, scope and model. A call to which no attempt was made stands under no
provider and no scope, and under what was asked for.
"""

from typing import Final

from sqlalchemy import BigInteger, Column, Integer, Table
from sqlalchemy.sql.schema import SchemaItem

from tidegate.store.lane_sums import LaneSums
from tidegate.store.metadata import METADATA, NAME

LANE: Final = ("provider", "scope", "model")


def _lane(unit: str) -> list[SchemaItem]:
    return [
        Column(unit, Integer, primary_key=True, autoincrement=False),
        *(Column(name, NAME, primary_key=True) for name in LANE),
    ]


def _counts(*names: str) -> list[SchemaItem]:
    return [Column(name, BigInteger, nullable=False, server_default="0") for name in names]


LANE_MINUTES: Final = Table(
    "lane_minutes",
    METADATA,
    *_lane("minute"),
    *_counts(*LaneSums.NAMES),
    comment="Use by the minute since 1970: attempts where and when they left, calls where and when they ended",
    sqlite_with_rowid=False,
)

LANE_HOURS: Final = Table(
    "lane_hours",
    METADATA,
    *_lane("hour"),
    *_counts(*LaneSums.NAMES),
    comment="The same by the hour since 1970",
    sqlite_with_rowid=False,
)

LANE_LIMITS: Final = Table(
    "lane_limits",
    METADATA,
    *_lane("minute"),
    *_counts("tpm", "rpm"),
    Column(
        "source", NAME, nullable=False, comment="configured, headers, refusals; of the token limit, or of the other"
    ),
    comment="From this minute on these limits were in force, 0 = none; a row where they changed",
    sqlite_with_rowid=False,
)
