"""Rows on SQLite and PostgreSQL, a receiver with a certificate, and a sender on a clock that is moved by hand."""

import asyncio
import contextlib
import itertools
import ssl
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import trustme

from harness.servers.postgres import Postgres
from tests.jobs.hooks.stand import HOST, Book, Home, Receiver, WallClock
from tidegate.jobs.hooks.sender import Sender
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.model.jobs import JobSettings
from tidegate.wire.tls import client_context

_NUMBERS = itertools.count()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Postgres]:
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def rows(tmp_path: Path) -> Iterator[JobRows]:
    opened = open_rows(JobSettings(), "", tmp_path)
    yield opened
    opened.engine.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def either(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[JobRows]:
    """Rows in either database."""
    url = ""
    if request.param == "postgresql":
        url = request.getfixturevalue("postgres").database(f"hooks{next(_NUMBERS)}")
    opened = open_rows(JobSettings(database=url), "", tmp_path)
    yield opened
    opened.engine.dispose()


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return client_context(str(file))


@pytest_asyncio.fixture
async def receiver(authority: trustme.CA, clock: WallClock) -> AsyncIterator[Receiver]:
    """`https://hooks.example`."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(HOST).configure_cert(context)
    made = Receiver(context, clock)
    await made.start()
    yield made
    made.stop()


@pytest.fixture
def clock() -> WallClock:
    return WallClock()


@pytest.fixture
def book() -> Book:
    return Book()


@pytest.fixture
def home(rows: JobRows, clock: WallClock) -> Home:
    return Home(rows, clock)


@pytest_asyncio.fixture
async def sender(home: Home, book: Book, trusting: ssl.SSLContext) -> AsyncIterator[Sender]:
    """It runs."""
    made = Sender(home, book, trusting)
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running
