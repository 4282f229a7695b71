"""The schema of patient work: where jobs are kept, who runs them, and who is told."""

import base64
import binascii
import re
from typing import Annotated, Literal

from pydantic import AfterValidator, BeforeValidator, Field

from tidegate.config.base_url import BadUrl, clean_base_url
from tidegate.config.queue_url import check_queue
from tidegate.config.schema.access import check_network
from tidegate.config.schema.base import PASSWORD_INSIDE, Seconds, Section, refused
from tidegate.config.schema.cache import span
from tidegate.config.schema.money import DatabaseUrl

_HOST = re.compile(r"(?=.{1,253}$)(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
_NUMBERS = re.compile(r"[0-9.]+")
_PREFIX = "whsec_"
_SECRET_BYTES = (24, 64)  # Standard Webhooks 1.0
_LONGEST = 31_536_000


def _queue(value: str) -> str:
    try:
        return check_queue(value)
    except BadUrl as error:
        raise refused(error.message, error.remedy) from None


def _gate(value: str) -> str:
    try:
        return clean_base_url(value)
    except BadUrl as error:
        raise refused(error.message, "for example http://gate.internal:8080, without /v1") from None


def webhook_secret(value: str) -> str:
    """`value` if webhooks can be signed with it."""
    least, most = _SECRET_BYTES
    remedy = f"write whsec_ and {least} to {most} random bytes in base64: openssl rand -base64 32"
    if not value.startswith(_PREFIX):
        raise refused("does not begin with whsec_", remedy)
    try:
        secret = base64.b64decode(value.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise refused("what follows whsec_ is no base64", remedy) from None
    if not least <= len(secret) <= most:
        raise refused(f"{len(secret)} bytes, and it has to have {least} to {most}", remedy)
    return value


def _allowed(value: str) -> str:
    text = value.strip().rstrip(".").lower()
    if "/" in text or ":" in text or _NUMBERS.fullmatch(text):
        return check_network(text)
    if _HOST.fullmatch(text) is None:
        raise refused("neither a name nor a network", "for example hooks.internal or 10.0.0.0/8, without http://")
    return text


Queue = Annotated[str, AfterValidator(_queue)]
_Time = Annotated[int, BeforeValidator(span, json_schema_input_type=int | str), Field(ge=1, le=_LONGEST)]
_Bytes = Annotated[int, Field(ge=1_024, le=17_179_869_184)]


class WebhooksConfig(Section):
    """Who is told when a job ends. Nobody, without a secret."""

    secret: Annotated[str, AfterValidator(webhook_secret)] | None = Field(
        None, repr=False,
        description="What webhooks are signed with (Standard Webhooks): `whsec_` and 24 to 64 bytes in base64; left "
        "out: a job that names a webhook is refused.",
        examples=['"${TIDEGATE_WEBHOOK_SECRET}"'],
    )  # fmt: skip
    allow: list[Annotated[str, AfterValidator(_allowed)]] = Field(
        [], description="Names and networks that may be told though they are not public.",
        examples=["[hooks.internal, 10.1.0.0/16]"],
    )  # fmt: skip
    attempts: Annotated[int, Field(ge=1, le=50)] = Field(
        8, description="How often it is tried until it is given up.", examples=[8]
    )
    timeout_seconds: Annotated[float, Field(ge=0.1, le=60, allow_inf_nan=False)] = Field(
        15, description="For an answer to arrive, in seconds.", examples=[15]
    )


class JobsConfig(Section):
    """Patient work: calls that are kept as jobs, in rows that outlive everything, and run when there is quota."""

    enabled: bool = Field(
        True,
        description="`false`: no work is patient, and calls of `async` strategies are answered at once.",
        examples=["true"],
    )
    database: DatabaseUrl | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="As `ledger.database`; left out: the ledger's PostgreSQL, or `jobs.db` in the state folder.",
        examples=['"${JOBS_URL}"'],
    )
    files: str | None = Field(
        None, description="Folder of uploaded and written files; left out: `files` in the state folder.",
        examples=["/var/lib/tidegate/files"],
    )  # fmt: skip
    queue_backend: Queue | None = Field(
        None,
        repr=False,
        json_schema_extra=PASSWORD_INSIDE,
        description="What carries jobs to their runners, where a strategy does not say: `sqlite://` (the rows "
        "themselves), `redis://`, `rediss://`, `amqp://` or `amqps://`; left out: `sqlite://`.",
        examples=["redis://localhost:6379/0"],
    )
    on_backend_failure: Literal["queue", "refuse"] = Field(
        "queue",
        description="While it is away: new jobs are kept until it is back, or refused.",
        examples=["queue"],
    )
    runners: Annotated[int, Field(ge=0, le=16)] = Field(
        1, description="Processes for each backend that the gate keeps; 0: a fleet of your own.", examples=[1]
    )
    concurrency: Annotated[int, Field(ge=1, le=10_000)] = Field(
        64,
        description="Most calls in flight of each of them for one tenant; a third more places are kept for others.",
        examples=[64],
    )
    gate_url: Annotated[str, AfterValidator(_gate)] | None = Field(
        None, description="Where runners on other machines find the gate; left out: by its socket.",
        examples=["http://gate.internal:8080"],
    )  # fmt: skip
    max_attempts: Annotated[int, Field(ge=1, le=100)] = Field(
        5, description="Failures of a job until it is dead; being told to wait is none.", examples=[5]
    )
    max_crashes: Annotated[int, Field(ge=1, le=100)] = Field(
        3, description="Runners that die over a job until it is dead.", examples=[3]
    )
    lease_seconds: Annotated[float, Field(ge=3, le=600, allow_inf_nan=False)] = Field(
        6, description="A runner that says nothing for so long has died, in seconds.", examples=[6]
    )
    deadline_seconds: _Time = Field(
        86_400, description="For a job that names none, in seconds or as `24h`: then it is dead.", examples=["24h"]
    )
    call_deadline_seconds: _Time = Field(
        600, description="For one attempt, waiting for quota included, in seconds or as `10m`.", examples=["10m"]
    )
    base_seconds: Seconds = Field(1, description="First pause after a failure, in seconds; each is twice as long.",
        examples=[1],
    )  # fmt: skip
    cap_seconds: Seconds = Field(300, description="Longest pause after a failure, in seconds.", examples=[300])
    max_queued: Annotated[int, Field(ge=1, le=100_000_000)] = Field(
        1_000_000, description="Most jobs of one tenant that have not ended.", examples=[1_000_000]
    )
    max_file_bytes: _Bytes = Field(
        536_870_912, description="Largest file that is uploaded, in bytes.", examples=[536_870_912]
    )
    max_batch_lines: Annotated[int, Field(ge=1, le=10_000_000)] = Field(
        100_000, description="Most requests of one batch.", examples=[100_000]
    )
    max_result_bytes: _Bytes = Field(
        16_777_216, description="Largest answer of a job that is kept, in bytes.", examples=[16_777_216]
    )
    keep_days: Annotated[int, Field(ge=1, le=3_650)] = Field(
        30, description="Days for which jobs, files and batches are kept after their end.", examples=[30]
    )
    webhooks: WebhooksConfig = Field(
        WebhooksConfig.model_construct(), description="Who is told when a job ends.",
        examples=['{secret: "${TIDEGATE_WEBHOOK_SECRET}"}'],
    )  # fmt: skip
