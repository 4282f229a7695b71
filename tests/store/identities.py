"""What tests of identity use."""

from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Engine

from tidegate.model.entitlements import Allowance, ClientKey
from tidegate.store.engine import open_engine
from tidegate.store.upgrade import upgrade

ALLOWANCE = Allowance(rpm=60, tpm=1_000, concurrent=2, tokens_day=5, nano_day=1, nano_month=2)


def key(name: str, number: int = 0, user: str = "") -> ClientKey:
    return ClientKey(
        name, bytes([number]) * 32, user=user, models=("gpt-4o",), addresses=("10.0.0.0/8",), signing="optional",
        signing_key=b"s" * 32, expires_us=9, allowance=ALLOWANCE,
    )  # fmt: skip


def fresh(folder: Path) -> Iterator[Engine]:
    """A new database, as a fixture yields it."""
    engine = open_engine("", folder)
    upgrade(engine)
    yield engine
    engine.dispose()
