"""What is told, what came of it, and what is remembered of it. `*_us` as in `jobs/records.py`."""

import msgspec

from tidegate.policy.jobs.webhooks import Next, event_id


class Hook(msgspec.Struct, frozen=True, kw_only=True):
    """An event that is due, and is its claimer's until `until_us`: nobody else sends it before."""

    about: str  # the job or batch that ended
    of_job: bool
    tenant: str
    url: str
    body: bytes
    finished_us: int
    attempts: int  # before this one
    until_us: int

    @property
    def event(self) -> str:
        """The id that its receiver knows it by, the same each time."""
        return event_id(self.about, self.finished_us)


class Outcome(msgspec.Struct, frozen=True):
    """What came of an attempt."""

    hook: Hook
    at_us: int
    took_us: int
    status: int  # 0 = there was no answer, and `error` says why
    error: str
    next: Next


class Delivery(msgspec.Struct, frozen=True):
    """An attempt as its tenant sees it."""

    attempt: int
    at_us: int
    took_us: int
    status: int
    error: str
