"""What a killed worker had in flight is booked once, and the quotas continue where they stood."""

import signal
import subprocess
import sys
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.journal.facts import FixedClock, intent, record
from tidegate.journal.journal import LEVELS_US, Journal, read
from tidegate.journal.recover import LOST, levels_of, recover
from tidegate.model.facts import CallRecord, Fact, Intent, tries_of
from tidegate.model.snapshot import JournalSettings

SMALL = JournalSettings(segment_bytes=4_096)
WRITER = """
import os
import sys
from pathlib import Path
from tests.journal.facts import FixedClock, intent, record
from tidegate.journal.journal import Journal
from tidegate.model.snapshot import JournalSettings

journal = Journal(Path(sys.argv[1]), JournalSettings(segment_bytes=65_536), FixedClock())
call = 0
while True:
    call += 1
    journal.append(intent(call))
    os.write(1, b"i")
    journal.append(record(call))
    os.write(1, b"c")
"""


def restart(directory: Path, clock: FixedClock | None = None) -> Journal:
    return Journal(directory, SMALL, clock or FixedClock())


def booked_calls(directory: Path) -> list[CallRecord]:
    return [fact for fact in read(directory) if isinstance(fact, CallRecord)]


def test_a_call_without_a_record_is_booked_as_estimated(tmp_path: Path) -> None:
    """One record with status 0, the charges of all attempts, who pays, the job, and the target of the last attempt."""
    first = restart(tmp_path)
    first.append(intent(1, 1, tokens=100, lane="digest/main/gpt-4o"))
    last = intent(1, 2, tokens=70, lane="digest/main/org/model", target="p/main/org/model")
    first.append(replace(last, job="job_1#2"))
    first.append(intent(2))
    first.append(record(2))
    first.close()
    second = restart(tmp_path)
    assert recover(second).lost == 1
    second.close()
    lost = booked_calls(tmp_path)[-1]
    assert (lost.call_id, lost.status, lost.estimated, lost.charged_tokens) == (1, LOST, True, 170)
    assert (lost.client, lost.plan, lost.attempts, lost.job) == ("app", "chat", 2, "job_1#2")
    assert (lost.model, lost.target) == ("org/model", "p/main/org/model")
    assert lost.prompt_tokens == lost.reserved_tokens == 170
    (one,) = tries_of(lost)
    assert (one.status, one.reason, one.target) == (0, "lost", "p/main/org/model")


CALLS = st.lists(st.tuples(st.integers(1, 40), st.booleans()), max_size=120)


@settings(max_examples=30, deadline=None)
@given(calls=CALLS, crashes=st.lists(st.integers(0, 6), max_size=4))
def test_every_call_has_exactly_one_record_however_often_recovery_dies(
    tmp_path_factory: object, calls: list[tuple[int, bool]], crashes: list[int]
) -> None:
    """Recovery cut off after any number of bookings, again and again, books each lost call once."""
    directory = tmp_path_factory.mktemp("journal")  # type: ignore[attr-defined]
    journal = restart(directory)
    expected: dict[int, int] = {}
    for number, (call, ends) in enumerate(calls):
        unique = call * 1_000 + number
        journal.append(intent(unique))
        if ends:
            journal.append(record(unique))
        expected[unique] = 1
    journal.close()
    for survive in crashes:
        journal = restart(directory)
        die_after(journal, survive)
        journal.close()
    journal = restart(directory)
    recover(journal)
    assert journal.open_calls == ()
    journal.close()
    counts: dict[int, int] = {}
    for fact in booked_calls(directory):
        counts[fact.call_id] = counts.get(fact.call_id, 0) + 1
    assert counts == expected


def die_after(journal: Journal, appends: int) -> None:
    """Recovers until `appends` records are written."""

    class Killed(Exception):
        pass

    class Dying:
        last_intents = journal.last_intents
        open_calls = journal.open_calls
        left = appends

        def append(self, fact: Fact) -> None:
            if self.left == 0:
                raise Killed
            self.left -= 1
            journal.append(fact)

    try:
        recover(Dying())  # type: ignore[arg-type]
    except Killed:
        return


def test_a_call_in_flight_over_many_segments_is_still_found(tmp_path: Path) -> None:
    """Its intent's segment is deleted long before it ends, yet the checkpoint carries it."""
    settings_ = JournalSettings(segment_bytes=4_096, keep_bytes=12_000)
    first = Journal(tmp_path, settings_, FixedClock())
    first.append(intent(7, tokens=55))
    for call in range(1_000, 2_000):
        first.append(record(call))
    first.close()
    assert not any(isinstance(fact, Intent) for fact in read(tmp_path))
    second = Journal(tmp_path, settings_, FixedClock())
    assert [(call.call_id, call.charged_tokens) for call in second.open_calls] == [(7, 55)]
    second.close()


def test_more_calls_in_flight_than_a_segment_holds_are_all_carried(tmp_path: Path) -> None:
    """A checkpoint larger than `segment_bytes` gets a larger segment."""
    first = restart(tmp_path)
    for call in range(500):
        first.append(intent(call))
    first.close()
    second = restart(tmp_path)
    assert recover(second).lost == 500
    second.close()
    assert len(booked_calls(tmp_path)) == 500


def test_levels_continue_where_each_lane_stood(tmp_path: Path) -> None:
    """The last intent of each lane comes back, also over a rotation; one older than two windows does not."""
    clock = FixedClock()
    first = restart(tmp_path, clock)
    first.append(intent(1, lane="d/s/old", at_us=clock.wall() - 1))
    first.append(intent(2, lane="d/s/a", level=900, at_us=clock.wall()))
    first.append(intent(3, lane="d/s/a", level=800, at_us=clock.wall()))
    first.append(intent(4, lane="d/s/b", level=50, at_us=clock.wall()))
    for call in range(200):
        first.append(record(call))
    first.close()
    clock.advance(LEVELS_US)
    read_along = levels_of(tmp_path, clock.wall())
    second = restart(tmp_path, clock)
    levels = recover(second).levels
    second.close()
    assert {lane: last.level_tokens for lane, last in levels.items()} == {"d/s/a": 800, "d/s/b": 50}
    assert read_along == levels
    assert levels_of(tmp_path / "nothing", clock.wall()) == {}


def test_what_was_acknowledged_survives_kill_9(tmp_path: Path) -> None:
    """A real process, killed while writing: every fact it acknowledged is in the journal, and the open call is found.

    It tells each append by one byte on a pipe, after `append` has returned.
    """
    command = [sys.executable, "-c", WRITER, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=Path(__file__).parents[2]) as process:
        assert process.stdout is not None
        told = process.stdout.read(9_000)
        assert len(told) == 9_000, "the writer died by itself"
        process.send_signal(signal.SIGKILL)
        told += process.stdout.read()
    written = "".join("i" if isinstance(fact, Intent) else "c" for fact in read(tmp_path))
    assert len(told) <= len(written) <= len(told) + 1
    assert written.startswith(told.decode())
    journal = restart(tmp_path)
    assert recover(journal).lost == len(written) % 2
    journal.close()


def test_what_was_lost_is_booked_to_its_tenant_as_a_usual_call(tmp_path: Path) -> None:
    """Where such calls were learnt: what it was charged for its `max_tokens` is no bill. Of all its attempts."""
    known = {"tenant": "acme", "user": "ann", "cost_nano": 5, "likely_tokens": 30}
    first = restart(tmp_path)
    first.append(replace(intent(1, 1, tokens=100), **known))
    first.append(replace(intent(1, 2, tokens=100), **known))
    first.close()
    recover(restart(tmp_path))
    (lost,) = booked_calls(tmp_path)
    assert (lost.tenant, lost.user, lost.cost_nano) == ("acme", "ann", 10)
    assert (lost.prompt_tokens, lost.charged_tokens) == (60, 200)
