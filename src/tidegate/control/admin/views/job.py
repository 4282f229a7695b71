"""What the admin API is asked and answers about jobs."""

from typing import Annotated, Literal

from pydantic import Field

from tidegate.config.schema.base import ModelName, Name
from tidegate.control.admin.views.directory import View
from tidegate.control.admin.views.queries import Asked, Tag
from tidegate.control.admin.views.sent import Body

State = Literal["queued", "running", "done", "failed", "dead", "cancelled"]
JobId = Annotated[str, Field(min_length=1, max_length=128, pattern=r"^[A-Za-z0-9_-]+$")]
_LONGEST_DAYS = 366


class JobsQuery(Asked):
    """Which jobs."""

    namespace: Name | None = None
    key: Name | None = Field(None, description="That made them.")
    state: list[State] = Field([], max_length=6, description="Repeat it for several.")
    model: ModelName | None = Field(None, description="The strategy or model that was asked for.")
    tag: Tag | None = None
    batch: JobId | None = None
    before: JobId | None = Field(None, description="`next` of the page before.")
    limit: Annotated[int, Field(ge=1, le=1_000)] = 100


class JobView(View):
    """A job as it stands. Moments are RFC 3339 in UTC."""

    id: str
    namespace: str
    key: str
    user: str
    path: str
    model: str
    backend: str
    state: str
    reason: str = Field(description="Why it waits again, failed, or is dead.")
    cancelling: bool = Field(description="Its runner has been told, and has not said that it stopped.")
    priority: int
    attempts: int = Field(description="Failures and the one that runs; being told to wait does not count.")
    crashes: int = Field(description="Runners that died over it.")
    tags: list[str]
    batch: str
    line: int = Field(description="Of its batch's input, 0: of none.")
    custom_id: str
    status: int = Field(description="Of its answer, 0: there is none.")
    prompt_tokens: int
    completion_tokens: int
    created: str | None
    not_before: str | None = None
    started: str | None = None
    finished: str | None = None
    deadline: str | None = None


class AttemptView(View):
    """One time that it was handed out."""

    number: int
    runner: str
    began: str | None
    ended: str | None = None
    outcome: str = Field(description="running, done, failed, again, dead, cancelled, lost.")
    reason: str
    status: int
    call: str = Field(description="The call that it made, as `x-request-id` says; empty: it was not told.")


class JobDetail(JobView):
    """A job with its attempts."""

    tried: list[AttemptView]


class JobPage(View):
    """The newest first."""

    jobs: list[JobView]
    next: str | None = Field(None, description="`before` of the next page; left out on the last.")


class DepthView(View):
    """Jobs of one queue that stand so."""

    backend: str
    state: str
    jobs: int
    oldest: str | None = None


class JobsSummary(View):
    """What waits and runs, and how many have ended how, ever. `enabled`: the configuration in force has jobs."""

    enabled: bool
    open: list[DepthView]
    ended: list[DepthView]


class Requeue(Body):
    """Begin an ended job without an answer anew."""

    deadline_seconds: Annotated[int, Field(ge=1, le=_LONGEST_DAYS * 86_400)] | None = Field(
        None, description="From now on; left out: `jobs.deadline_seconds`."
    )
