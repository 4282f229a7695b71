"""Ids that sort by the moment at which they were made and cannot be guessed."""

import secrets
from typing import Final

JOB: Final = "job_"
_LUCK_BYTES: Final = 10


def new_id(prefix: str, wall: int) -> str:
    """`prefix`, 12 hexadecimal digits for the milliseconds of `wall`, 20 of chance (as UUIDv7 has it, RFC 9562)."""
    return f"{prefix}{wall // 1_000:012x}{secrets.token_hex(_LUCK_BYTES)}"
