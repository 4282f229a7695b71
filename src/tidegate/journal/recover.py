"""After a worker's death: book what it had in flight, and tell where the quotas stood."""

from pathlib import Path
from typing import NamedTuple

from tidegate.journal.journal import LEVELS_US, Journal
from tidegate.journal.scan import records
from tidegate.journal.segment import Checkpoint, numbers, path_of
from tidegate.journal.state import JournalState
from tidegate.model.facts import CallRecord, Intent

LOST = 0  # status of a call whose end nobody saw


class Recovered(NamedTuple):
    """What the last run left behind."""

    lost: int  # calls that were in flight and are now booked as estimated
    levels: dict[str, Intent]  # by lane: its last intent, for the mirror to continue from


def recover(journal: Journal) -> Recovered:
    """Append one estimated `CallRecord` for every call that has an intent and no record.

    Exactly one, however often the gate dies meanwhile: a booked call is no longer open, and an unbooked one is
    inherited by the next segment's checkpoint. Call it before anything else is appended. Raises `OSError`.
    """
    levels = journal.last_intents
    lost = journal.open_calls
    for intent in lost:
        journal.append(booked(intent))
    return Recovered(len(lost), levels)


def levels_of(directory: Path, wall: int) -> dict[str, Intent]:
    """Where quotas stand by a journal that another process may still write: each lane's last intent, if it matters.

    Raises `OSError`. O(newest segment).
    """
    state, unread = JournalState(), list[bytes]()
    for number in reversed(numbers(directory)):
        unread.append(path_of(directory, number).read_bytes())
        if isinstance(next(records(unread[-1]), (None, 0))[0], Checkpoint):
            break
    for data in reversed(unread):
        for record, _ in records(data):
            state.follow(record)
    state.forget_lanes(wall - LEVELS_US)
    return state.lanes


def booked(intent: Intent) -> CallRecord:
    """The record of a call whose end nobody saw.

    What was charged is the upper estimate of its usage; how much of it was prompt is not known. Where such calls have
    been learnt, it is booked by what they come to while they run: a large `max_tokens` must not use up a budget.
    """
    return CallRecord(
        call_id=intent.call_id,
        at_us=intent.at_us,
        client=intent.client,
        plan=intent.plan,
        model=intent.lane.split("/", 2)[-1],
        target=intent.target or intent.lane,
        status=LOST,
        attempts=intent.attempt,
        streamed=False,
        queued_us=0,
        waited_us=0,
        first_byte_us=0,
        duration_us=0,
        prompt_tokens=intent.likely_tokens or intent.charged_tokens,
        completion_tokens=0,
        cached_tokens=0,
        charged_tokens=intent.charged_tokens,
        estimated=True,
        tenant=intent.tenant,
        user=intent.user,
        cost_nano=intent.cost_nano,
        job=intent.job,
        reserved_tokens=intent.charged_tokens,
    )
