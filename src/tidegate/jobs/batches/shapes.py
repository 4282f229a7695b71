"""Files and batches as the makers' APIs tell them. Pure."""

from datetime import UTC, datetime
from typing import Any

import msgspec

from tidegate.jobs.batches.records import (
    CANCELLED,
    CANCELLING,
    COMPLETED,
    EXPIRED,
    FAILED,
    OPEN,
    Batch,
    StoredFile,
    Tally,
)


def file(one: StoredFile) -> dict[str, Any]:
    """OpenAI's `file`."""
    return {
        "id": one.id,
        "object": "file",
        "bytes": one.size,
        "created_at": _seconds(one.created_us),
        "expires_at": _seconds(one.expires_us),
        "filename": one.filename,
        "purpose": one.purpose,
        "status": "processed",
        "status_details": None,
    }


def batch(one: Batch, tally: Tally) -> dict[str, Any]:
    """OpenAI's `batch`."""
    ended = _seconds(one.ended_us)
    return {
        "id": one.id,
        "object": "batch",
        "endpoint": one.endpoint,
        "model": one.model or None,
        "errors": _errors(one),
        "input_file_id": one.input_file,
        "completion_window": "24h",
        "status": one.state,
        "output_file_id": one.output_file or None,
        "error_file_id": one.error_file or None,
        "created_at": _seconds(one.created_us),
        "in_progress_at": _seconds(one.in_progress_us),
        "expires_at": _seconds(one.expires_us),
        "finalizing_at": _seconds(one.finalizing_us),
        "completed_at": ended if one.state == COMPLETED else None,
        "failed_at": ended if one.state == FAILED else None,
        "expired_at": ended if one.state == EXPIRED else None,
        "cancelling_at": _seconds(one.cancelling_us),
        "cancelled_at": ended if one.state == CANCELLED else None,
        "request_counts": {
            "total": tally.total,
            "completed": tally.succeeded,
            "failed": tally.failed + tally.cancelled + tally.expired,
        },
        "usage": _usage(one),
        "metadata": msgspec.Raw(one.metadata or b"null"),
    }


def _errors(one: Batch) -> dict[str, Any] | None:
    if not one.faults:
        return None
    data = [
        {"code": fault.code, "message": fault.message, "line": fault.line or None, "param": fault.param or None}
        for fault in one.faults
    ]
    return {"object": "list", "data": data}


def _usage(one: Batch) -> dict[str, Any] | None:
    """Known when it has ended. The rows do not tell cached and reasoning tokens apart."""
    if not one.ended_us or one.state == FAILED:
        return None
    return {
        "input_tokens": one.prompt_tokens,
        "input_tokens_details": {"cached_tokens": 0},
        "output_tokens": one.completion_tokens,
        "output_tokens_details": {"reasoning_tokens": 0},
        "total_tokens": one.prompt_tokens + one.completion_tokens,
    }


def message_batch(one: Batch, tally: Tally, base: str) -> dict[str, Any]:
    """Anthropic's `message_batch`; `base`: scheme and host that the client called."""
    running = one.state in OPEN
    state = "ended" if not running else "canceling" if one.state == CANCELLING else "in_progress"
    return {
        "id": one.id,
        "type": "message_batch",
        "processing_status": state,
        "request_counts": {
            "processing": tally.open,
            "succeeded": tally.succeeded,
            "errored": tally.failed,
            "canceled": tally.cancelled,
            "expired": tally.expired,
        },
        "created_at": _moment(one.created_us),
        "expires_at": _moment(one.expires_us),
        "ended_at": _moment(one.ended_us),
        "cancel_initiated_at": _moment(one.cancelling_us),
        "archived_at": None,
        "results_url": None if running else f"{base}/v1/messages/batches/{one.id}/results",
    }


def _seconds(at_us: int) -> int | None:
    return at_us // 1_000_000 if at_us else None


def _moment(at_us: int) -> str | None:
    """RFC 3339."""
    if not at_us:
        return None
    return datetime.fromtimestamp(at_us // 1_000_000, UTC).replace(microsecond=at_us % 1_000_000).isoformat()
