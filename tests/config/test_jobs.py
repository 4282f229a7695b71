"""Patient work in the file: what it comes to, and what `check` says of it."""

import base64
from pathlib import Path

import pytest

from tests.config.advice.test_file import warnings
from tests.config.conftest import Loads, Refusals
from tests.config.texts import MISSION, SMALLEST
from tidegate.config.advice import jobs as advice_jobs
from tidegate.config.queue_url import check_queue, queue_file
from tidegate.config.split import split
from tidegate.model.jobs import JobSettings, WebhookSettings
from tidegate.model.snapshot import backends, decode, encode

KEY = "whsec_" + base64.b64encode(b"0123456789abcdef01234567").decode()
PATIENT = "execution_mode: async"


def strategy(*fields: str) -> str:
    return f"{SMALLEST}strategies: {{s: {{{', '.join(('primary_model: gpt-4o', *fields))}}}}}\n"


@pytest.mark.parametrize(
    ("text", "enabled"),
    [
        (SMALLEST, False),
        (SMALLEST + "jobs:\n", False),
        (SMALLEST + "jobs: {}\n", True),
        (SMALLEST + "jobs: {enabled: false}\n", False),
        (strategy(), False),
        (strategy("queue_backend: 'redis://h'"), False),
        (strategy(PATIENT), True),
        (SMALLEST + MISSION, True),
        (strategy(PATIENT) + "jobs: {enabled: false}\n", False),
    ],
)
def test_who_wants_it(loads: Loads, text: str, enabled: bool) -> None:
    """The section where it stands, or a strategy; and it can be switched off."""
    snapshot = loads(text).snapshot
    assert snapshot.jobs.enabled is enabled
    assert bool(backends(snapshot)) is enabled


def test_defaults_are_those_of_the_record(loads: Loads) -> None:
    """An empty section says nothing but that it is wanted."""
    assert loads(SMALLEST + "jobs: {}\n").snapshot.jobs == JobSettings(enabled=True)


def test_every_field_arrives(loads: Loads, tmp_path: Path) -> None:
    """In the record's units; relative paths start at the file's folder; secrets are decoded."""
    text = """\
jobs:
  database: sqlite:///rows.db
  files: work
  queue_backend: amqp://u:p@h/v
  on_backend_failure: refuse
  runners: 2
  concurrency: 8
  gate_url: http://gate.internal:8080/
  max_attempts: 6
  max_crashes: 4
  lease_seconds: 3.5
  deadline_seconds: 2h
  call_deadline_seconds: 90
  base_seconds: 0.25
  cap_seconds: 60
  max_queued: 10
  max_file_bytes: 2048
  max_batch_lines: 5
  max_result_bytes: 4096
  keep_days: 2
  webhooks: {secret: "${HOOK}", allow: [Hooks.Internal., 10.0.0.0/8, "::1"], attempts: 3, timeout_seconds: 1.5}
"""
    snapshot = loads(SMALLEST + text, HOOK=KEY).snapshot
    assert snapshot.jobs == JobSettings(
        enabled=True,
        database=f"sqlite:///{tmp_path}/rows.db",
        files=f"{tmp_path}/work",
        backend="amqp://u:p@h/v",
        on_backend_failure="refuse",
        runners=2,
        concurrency=8,
        gate_url="http://gate.internal:8080",
        max_attempts=6,
        max_crashes=4,
        lease_us=3_500_000,
        deadline_us=7_200_000_000,
        call_deadline_us=90_000_000,
        base_us=250_000,
        cap_us=60_000_000,
        max_queued=10,
        max_file_bytes=2_048,
        max_batch_lines=5,
        max_result_bytes=4_096,
        keep_us=172_800_000_000,
        webhooks=WebhookSettings(
            b"0123456789abcdef01234567", ("hooks.internal", "10.0.0.0/8", "::1/128"), 3, 1_500_000
        ),
    )
    assert decode(encode(snapshot)) == snapshot


def test_nothing_of_a_secret_is_shown(loads: Loads) -> None:
    """Neither by the checked configuration nor by what is said of it."""
    text = "jobs: {database: 'postgresql://u:geheim@h/n', queue_backend: 'amqp://u:geheim@h', webhooks: {secret: X}}\n"
    loaded = loads(SMALLEST + text.replace("X", KEY))
    assert [warning.field for warning in loaded.warnings] == [
        "clients",
        "jobs.database",
        "jobs.queue_backend",
        "jobs.webhooks.secret",
    ]
    shown = repr(loaded.config) + "".join(warning.text("f") for warning in loaded.warnings)
    assert "geheim" not in shown
    assert KEY not in shown


@pytest.mark.parametrize(
    ("jobs", "own", "database", "queues"),
    [
        ("queue_backend: 'sqlite:///a.db'", "sqlite://", "a.db", ("",)),
        ("database: 'sqlite:///a.db'", "sqlite:///./a.db", "a.db", ("",)),
        ("queue_backend: 'redis://h'", "sqlite:///a.db", "a.db", ("redis://h", "")),
        ("database: 'sqlite:////v/a.db'", "amqps://h", "/v/a.db", ("", "amqps://h")),
        ("queue_backend: 'Redis://h'", "redis://h", "", ("redis://h",)),
        ("queue_backend: 'sqlite://'", "sqlite://", "", ("",)),
    ],
)
def test_rows_live_in_one_place(
    loads: Loads, tmp_path: Path, jobs: str, own: str, database: str, queues: tuple[str, ...]
) -> None:
    """A queue of SQLite that names a file names theirs; the embedded queue is one, whatever it is called."""
    snapshot = loads(strategy(PATIENT, f"queue_backend: '{own}'") + f"jobs: {{{jobs}}}\n").snapshot
    assert snapshot.jobs.database == (f"sqlite:///{tmp_path / database}" if database else "")
    assert backends(snapshot) == queues


def test_a_strategy_may_stay_embedded_beside_a_broker(loads: Loads) -> None:
    """Its record says so, and is not that of a strategy which says nothing."""
    text = strategy("queue_backend: 'sqlite://'") + "  # more\njobs: {queue_backend: 'redis://h'}\n"
    (named,) = loads(text).snapshot.strategies
    (silent,) = loads(strategy() + "jobs: {queue_backend: 'redis://h'}\n").snapshot.strategies
    assert (named.queue_backend, silent.queue_backend) == ("sqlite://", "")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (strategy(PATIENT), []),
        (SMALLEST + "jobs: {}\n", []),
        (strategy(PATIENT, "queue_backend: 'redis://h'"), []),
        (strategy(PATIENT, "queue_backend: 'redis://:p@h'"), ["s.queue_backend: a password stands in the file"]),
        (strategy(PATIENT, "deadline_seconds: 9"), ["strategies.s.deadline_seconds: a call that waits as a job"]),
        (strategy("deadline_seconds: 9") + "jobs: {}\n", []),
        (strategy("queue_backend: 'redis://h'"), ["strategies.s.queue_backend: no effect while no work is patient"]),
        (strategy("queue_backend: 'redis://h'") + "jobs: {}\n", []),
        (
            strategy(PATIENT) + "jobs: {enabled: false}\n",
            ["strategies.s.execution_mode: no effect while `jobs.enabled` is false: calls are answered at once"],
        ),
        (SMALLEST + "jobs: {runners: 0}\n", ["jobs.runners: nobody runs the jobs of the embedded queue"]),
        (SMALLEST + "jobs: {runners: 0, queue_backend: 'redis://h'}\n", []),
        (SMALLEST + "jobs: {runners: 0, enabled: false}\n", []),
        (SMALLEST + "jobs: {deadline_seconds: 60}\n", ["jobs.deadline_seconds: an attempt may take longer"]),
        (SMALLEST + "jobs: {call_deadline_seconds: 2d}\n", ["jobs.call_deadline_seconds: an attempt may take longer"]),
        (SMALLEST + "jobs: {webhooks: {allow: [h]}}\n", ["jobs.webhooks: no webhook is sent without a secret"]),
    ],
)
def test_what_is_worth_saying(loads: Loads, text: str, said: list[str]) -> None:
    """Each is named with its place; what is meant is not."""
    found = warnings(loads, text)
    assert [one in warning for one, warning in zip(said, found, strict=True)] == [True for _ in said]


@pytest.mark.parametrize(
    ("text", "fields"),
    [
        (strategy(PATIENT, "queue_backend: 'redis://h'"), ["strategies.s.queue_backend"]),
        (strategy(PATIENT) + "jobs: {queue_backend: 'amqps://h'}\n", ["jobs.queue_backend"]),
        (strategy(PATIENT, "queue_backend: 'sqlite://'"), []),
        (strategy(PATIENT, "queue_backend: 'redis://h'") + "jobs: {enabled: false}\n", None),
    ],
)
def test_a_broker_needs_its_package(
    loads: Loads, monkeypatch: pytest.MonkeyPatch, text: str, fields: list[str] | None
) -> None:
    """Told where a broker is named, with what installs it; the gate starts all the same."""
    monkeypatch.setattr(advice_jobs, "find_spec", lambda _: None)
    found = [one for one in warnings(loads, text) if "tidegate[celery]" in one]
    assert [one.partition(":")[0] for one in found] == (fields or [])


@pytest.mark.parametrize(
    ("url", "same", "file"),
    [
        ("sqlite://", "sqlite://", ""),
        ("sqlite:///jobs.db", "sqlite:///jobs.db", "jobs.db"),
        ("SQLITE:////var/jobs.db", "sqlite:////var/jobs.db", "/var/jobs.db"),
        ("redis://h", "redis://h", ""),
        ("REDISS://u:P@H:1/3?ssl_cert_reqs=none", "rediss://u:P@H:1/3?ssl_cert_reqs=none", ""),
        ("amqp://u:p@[::1]:5672/%2F", "amqp://u:p@[::1]:5672/%2F", ""),
    ],
)
def test_queues_that_there_are(url: str, same: str, file: str) -> None:
    """A scheme in capitals is the same scheme; nothing else of the URL is touched."""
    assert check_queue(url) == same
    assert queue_file(same) == file


def test_an_unknown_backend_names_its_line_and_those_there_are(refusals: Refusals) -> None:
    """As every error of the file."""
    (said,) = refusals(f"{SMALLEST}jobs:\n  queue_backend: kafka://h\n")
    assert said == (
        "8:18: jobs.queue_backend: no such queue backend; use one of sqlite://, redis://, rediss://, amqp://, amqps://"
    )


def test_every_worker_knows_of_jobs_and_none_of_their_secrets(loads: Loads) -> None:
    """A worker of one namespace hands patient calls on as the main one does; what the desk alone needs stays there."""
    text = f"jobs: {{database: 'postgresql://u:p@h/n', queue_backend: 'redis://h', webhooks: {{secret: {KEY}}}}}\n"
    text += "namespaces: {acme: {keys: [tg-0123456789], isolation: {port: 8090}}}\n"
    text += "pools: {own: {scopes: [openai/main], only: [acme]}}\n"
    whole = loads(SMALLEST + text).snapshot
    assert whole.jobs.webhooks.secret
    for part in split(whole):
        assert (part.jobs.enabled, backends(part)) == (True, ("redis://h",))
        assert (part.jobs.database, part.jobs.webhooks.secret) == ("", b"")
