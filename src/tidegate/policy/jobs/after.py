"""What becomes of a job after an attempt.

An answer is its end, and so is a refusal of what was asked: it would be refused again. Being told to wait costs no
attempt, nor does a gate that cannot be reached; it pauses for as long as it was told, and never less than `base_us`:
who names too short a time would be asked without end. What fails costs one and is tried again with exponential
back-off, up to `max_attempts`; and nothing is tried again at or after the job's deadline. Pure. O(message).

Jitter only lengthens a pause: nobody comes before the time that was told or that doubling asks for, and those who
failed together come back apart (Brooker, "Exponential Backoff And Jitter", AWS Architecture Blog, 2015).
"""

import re
from typing import Final

from tidegate.model.jobs import DEAD, DONE, FAILED, QUEUED
from tidegate.policy.access import job_tokens

LONGEST: Final = 500  # characters of a reason
_WORD: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")
_WAITS: Final = frozenset((429, 503, 529))  # busy (RFC 6585, 4; RFC 9110, 15.6.4); 529 is Anthropic's overload
_AGAIN: Final = frozenset((408, 409, 425))  # refused for the moment, not for what was asked (RFC 9110; RFC 8470)
_NEVER: Final = frozenset((501, 505))  # and for what was asked, though the number says it is the server's fault
_TICKETS: Final = frozenset((job_tokens.WRONG, job_tokens.EXPIRED))  # no secret yet, or a clock is off
_NOT_CACHED: Final = "not_cached"  # the client wants what is known, and nothing is
_DOUBLINGS: Final = 32


class Came:
    """What an attempt came to. `status` 0: there was no answer, and `sent` tells whether the gate may have begun."""

    __slots__ = ("code", "message", "sent", "status", "wait_us")

    def __init__(self, status: int, code: str, message: str, wait_us: int, *, sent: bool = True) -> None:
        self.status = status
        self.code = code  # the gate's or the provider's word for an error, "" = none
        self.message = message  # what was said with it
        self.wait_us = wait_us  # until it may be asked again, as it was told; 0 = it was not
        self.sent = sent


class Tries:
    """How often, and how far apart: an excerpt of `JobSettings`."""

    __slots__ = ("base_us", "cap_us", "max_attempts")

    def __init__(self, max_attempts: int, base_us: int, cap_us: int) -> None:
        self.max_attempts = max_attempts
        self.base_us = base_us
        self.cap_us = cap_us


class Fate:
    """What becomes of the job: an end, or `queued` again at `not_before_us` of the wall clock."""

    __slots__ = ("counts", "not_before_us", "reason", "state")

    def __init__(self, state: str, reason: str = "", not_before_us: int = 0, *, counts: bool = True) -> None:
        self.state = state
        self.reason = reason
        self.not_before_us = not_before_us
        self.counts = counts


def after(came: Came, failures: int, deadline_us: int, tries: Tries, wall: int, luck: float) -> Fate:
    """`failures` before this attempt; `deadline_us` as `wall`, microseconds since 1970; `luck` from 0 up to 1."""
    if 200 <= came.status < 300:
        return Fate(DONE)
    why = said(came)
    if came.status and not _again(came):
        return Fate(FAILED, why)
    counts = not _waits(came)
    if counts and failures + 1 >= tries.max_attempts:
        return Fate(DEAD, reason("attempts", f"{failures + 1} have failed, the last with {why}"))
    pause = _pause_us(came, failures, tries, luck, counts=counts)
    if wall + pause >= deadline_us:
        late = f"the next try would be in {pause / 1e6:.3f} s, which is too late; the last came to {why}"
        return Fate(DEAD, reason("deadline", late), counts=counts)
    return Fate(QUEUED, why, wall + pause, counts=counts)


def said(came: Came) -> str:
    """What it came to, as a reason."""
    word = came.code if _WORD.fullmatch(came.code) else ""
    if came.status:
        return reason(word or f"http_{came.status}", came.message or f"the answer was {came.status}")
    return reason(word or ("cut" if came.sent else "unreachable"), came.message or "the gate did not answer")


def reason(word: str, message: str) -> str:
    """A word, and what was said on one line: at most `LONGEST` characters, all of which can be shown and kept."""
    text = f"{word}: {message[:LONGEST]}"
    shown = "".join([char if char.isprintable() else " " for char in text])
    return shown if len(shown) <= LONGEST else f"{shown[: LONGEST - 1]}…"


def _again(came: Came) -> bool:
    """Whether the same request may be answered another time."""
    status = came.status
    if status >= 500:
        return status not in _NEVER and came.code != _NOT_CACHED
    return status in _AGAIN or status in _WAITS or (status == 401 and came.message in _TICKETS)


def _waits(came: Came) -> bool:
    """Whether it was told to wait, or nobody was there: then it has not failed.

    A gate that fails on it says 503 as well, but no time.
    """
    if not came.status:
        return not came.sent
    return came.status in _WAITS and (came.wait_us > 0 or came.status == 429)


def _pause_us(came: Came, failures: int, tries: Tries, luck: float, *, counts: bool) -> int:
    if counts:
        doubled = min(tries.base_us << min(failures, _DOUBLINGS), tries.cap_us)
        return max(came.wait_us, _longer(doubled, luck))
    if came.wait_us > 0:  # a place may be kept for it then: not much later
        return max(came.wait_us, tries.base_us) + int(tries.base_us * luck)
    return _longer(tries.cap_us if came.status else tries.base_us, luck)


def _longer(pause: int, luck: float) -> int:
    return pause + int(pause * luck)
