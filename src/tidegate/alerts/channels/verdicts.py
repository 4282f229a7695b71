"""Answers of robots that say 200 to everything: what counts is a number within."""

from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec

from tidegate.alerts.channels.post import Answer
from tidegate.alerts.face import NotSent


class Verdict(NamedTuple):
    """What one number means, and what to do. `final`: nothing changes until somebody does it."""

    meaning: str
    remedy: str = ""
    pause_us: int | None = None
    final: bool = True


STATUSES: Final[Mapping[int, Verdict]] = {
    301: Verdict("a redirect, which is not followed", "write the address that it leads to into `url`"),
    302: Verdict("a redirect, which is not followed", "write the address that it leads to into `url`"),
    404: Verdict("there is nothing at this address", "copy the address anew into `url`"),
    407: Verdict("the proxy wants a user and password", "write them into `proxy`"),
    413: Verdict("the message is too long"),
}


class _Answered(msgspec.Struct):
    errcode: int | None = None
    errmsg: str = ""
    code: int | None = None
    msg: str = ""
    StatusCode: int | None = None


def number_of(answer: Answer) -> tuple[int, str]:
    """The number and the words beside it. Raises `NotSent` where there is none."""
    try:
        found = msgspec.json.decode(answer.body, type=_Answered)
    except (msgspec.DecodeError, UnicodeDecodeError):
        if answer.status != 200:
            raise refused(answer.status, STATUSES, "answered with status") from None
        ending = "" if answer.whole else ", and its answer had no end"
        raise NotSent(f"what answered is no robot{ending}; check the host in `url`, and the proxy in between") from None
    numbers = (found.errcode, found.code, found.StatusCode)
    number = next((one for one in numbers if one is not None), None)
    if number is None:
        raise NotSent("what answered is no robot: there is no code in its answer; check the host in `url`")
    return number, found.errmsg or found.msg


def refused(number: int, known: Mapping[int, Verdict], how: str = "refused it with code") -> NotSent:
    """The error for a number. What the server wrote beside it is not repeated: it may quote what it was sent."""
    verdict = known.get(number)
    if verdict is None:
        return NotSent(f"{how} {number}; look it up in the maker's list of codes", final=400 <= number < 500)
    remedy = f"; {verdict.remedy}" if verdict.remedy else ""
    return NotSent(f"{how} {number}: {verdict.meaning}{remedy}", verdict.pause_us, final=verdict.final)
