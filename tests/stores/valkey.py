"""A Valkey server for tests: `from tests.stores.valkey import valkey, valkey_server` in a conftest."""

from collections.abc import Iterator

import pytest

from bench.valkey import Valkey


@pytest.fixture(scope="session")
def valkey_server() -> Iterator[Valkey]:
    """One for all tests of a process."""
    server = Valkey()
    yield server
    server.close()


@pytest.fixture
def valkey(valkey_server: Valkey) -> Valkey:
    """It runs, and is empty."""
    valkey_server.command("FLUSHALL")
    return valkey_server


@pytest.fixture
def mortal_valkey() -> Iterator[Valkey]:
    """One of the test's own, to stop and to kill."""
    server = Valkey()
    yield server
    server.close()
