"""How much of what was set aside, and of what is paid for, was used.

Two figures of each provider, scope and model:

* **of reserved**: tokens that were billed ÷ tokens that were charged before calls left (`Intent.charged_tokens`, of
  each attempt). 1 = estimates were exact; less = quota was held for what never came.
* **of quota**: tokens that were billed ÷ what the limit would have allowed in that time: tokens a minute × minutes
  that passed. It is known only where the limit is: a configured one, or one that the provider's headers show. A period
  that has not ended counts until now.
"""

from collections.abc import Mapping
from typing import NamedTuple

from sqlalchemy import Connection

from tidegate.store.reports import ReportQuery, Sums, hour_from, report
from tidegate.units import HOUR_US, MINUTE_US


class QuotaKey(NamedTuple):
    """What has a limit of its own."""

    provider: str
    scope: str
    model: str


class Utilisation(NamedTuple):
    """Tokens, and the two ratios; -1 = not known."""

    lane: QuotaKey
    used_tokens: int
    charged_tokens: int
    reserved_tokens: int
    quota_tokens: int  # that the limit would have allowed, 0 = not known

    @property
    def of_reserved(self) -> float:
        """Used of reserved."""
        return self.used_tokens / self.reserved_tokens if self.reserved_tokens else -1.0

    @property
    def of_quota(self) -> float:
        """Used of what is paid for."""
        return self.used_tokens / self.quota_tokens if self.quota_tokens else -1.0


def utilisation(
    connection: Connection,
    from_us: int,
    to_us: int,
    wall: int,
    limits: Mapping[QuotaKey, int],
    filters: Mapping[str, str],
) -> list[Utilisation]:
    """Of each lane that was used in the hours that begin from `from_us` to before `to_us`, or has a limit.

    Limits are tokens a minute, `wall` is now. Raises `reports.TooMany`. O(sums of the period).
    """
    begun, ended = hour_from(from_us) * HOUR_US, hour_from(to_us) * HOUR_US
    minutes = max(0, min(ended, wall) - begun) // MINUTE_US
    lines = report(connection, ReportQuery(from_us, to_us, QuotaKey._fields, filters))
    used = {QuotaKey(*line.group): line.sums for line in lines if line.group[0]}
    return [
        _utilisation(lane, used.get(lane, Sums()), limits.get(lane, 0) * minutes)
        for lane in sorted(used.keys() | limits.keys())
    ]


def _utilisation(lane: QuotaKey, sums: Sums, quota: int) -> Utilisation:
    tokens = sums.prompt_tokens + sums.completion_tokens
    return Utilisation(lane, tokens, sums.charged_tokens, sums.reserved_tokens, quota)


def overall(rows: list[Utilisation]) -> Utilisation:
    """All together; of quota only the lanes whose limit is known."""
    known = [row for row in rows if row.quota_tokens]
    reserved = sum(row.reserved_tokens for row in rows)
    used = sum(row.used_tokens for row in rows)
    charged = sum(row.charged_tokens for row in rows)
    whole = Utilisation(QuotaKey("", "", ""), used, charged, reserved, 0)
    if len(known) == len(rows):
        return whole._replace(quota_tokens=sum(row.quota_tokens for row in rows))
    return whole
