"""What a discipline is."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from tidegate.judge.arena import Arena, Options
from tidegate.judge.rules import Verdict


def _always(_options: Options) -> str:
    return ""


@dataclass(frozen=True, slots=True)
class Discipline:
    """One of them. `needs`: what a gateway must offer; `missing`: why it does not apply to these options, "" = it does.

    `beside`: it may run at the same time as others of the kind, each on a quota of its own.
    """

    name: str
    what: str
    needs: str
    run: Callable[[Arena], Awaitable[Verdict]]
    missing: Callable[[Options], str] = _always
    beside: bool = False
