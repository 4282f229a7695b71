"""Patient work, from the checked configuration to the snapshot's record."""

import base64
from collections.abc import Mapping
from pathlib import Path

from tidegate.config.build.money import database
from tidegate.config.queue_url import EMBEDDED, queue_file
from tidegate.config.schema.jobs import JobsConfig, WebhooksConfig
from tidegate.config.schema.strategy import StrategyConfig
from tidegate.model import jobs as records

_SECOND = 1_000_000
_DAY = 86_400 * _SECOND
_PREFIX = "whsec_"
_ITSELF = f"{EMBEDDED}://"


def jobs(item: JobsConfig | None, strategies: Mapping[str, StrategyConfig], folder: Path) -> records.JobSettings:
    """How patient work is kept and run. Relative paths start at `folder`.

    It is wanted where the section stands in the file, or a strategy is `async`, unless it is switched off.
    """
    wanted = item is not None or any(one.execution_mode == "async" for one in strategies.values())
    item = item or JobsConfig.model_construct()
    return records.JobSettings(
        enabled=wanted and item.enabled,
        database=_database(item, strategies, folder),
        files=str(folder / item.files) if item.files else "",
        backend=queue(item.queue_backend) if not embedded(item.queue_backend) else records.EMBEDDED,
        on_backend_failure=item.on_backend_failure,
        runners=item.runners,
        concurrency=item.concurrency,
        gate_url=item.gate_url or "",
        max_attempts=item.max_attempts,
        max_crashes=item.max_crashes,
        lease_us=_us(item.lease_seconds),
        deadline_us=item.deadline_seconds * _SECOND,
        call_deadline_us=item.call_deadline_seconds * _SECOND,
        base_us=_us(item.base_seconds),
        cap_us=_us(item.cap_seconds),
        max_queued=item.max_queued,
        max_file_bytes=item.max_file_bytes,
        max_batch_lines=item.max_batch_lines,
        max_result_bytes=item.max_result_bytes,
        keep_us=item.keep_days * _DAY,
        webhooks=_webhooks(item.webhooks),
    )


def queue(url: str | None) -> str:
    """A strategy's queue, "" = the usual one. Where the rows are is no matter of the queue's name."""
    return _ITSELF if url and embedded(url) else url or ""


def embedded(url: str | None) -> bool:
    """Are the rows themselves the queue?"""
    return not url or url.startswith(_ITSELF)


def _database(item: JobsConfig, strategies: Mapping[str, StrategyConfig], folder: Path) -> str:
    """By its own field, or by a queue that names a file; the rules know that all say the same."""
    if item.database:
        return database(item.database, folder)
    every = (item.queue_backend, *(one.queue_backend for one in strategies.values()))
    return next((database(url, folder) for url in every if url and queue_file(url)), "")


def _webhooks(item: WebhooksConfig) -> records.WebhookSettings:
    secret = base64.b64decode(item.secret.removeprefix(_PREFIX)) if item.secret else b""
    return records.WebhookSettings(secret, tuple(item.allow), item.attempts, _us(item.timeout_seconds))


def _us(seconds: float) -> int:
    return round(seconds * _SECOND)
