"""What came of the latest comparisons, by call: for `explain`, and for those who say later whether it was right."""

from collections import OrderedDict
from collections.abc import Iterator
from typing import Final

MOST: Final = 20_000


class Outcome:
    """Of one call. `number` names the question that was nearest, 0 = there was none."""

    __slots__ = ("at_us", "call_id", "judge", "judged", "number", "served", "similarity", "source", "why", "would")

    def __init__(  # noqa: PLR0913, PLR0917 - a record
        self, call_id: int, at_us: int, number: int, source: int, similarity: float, served: bool, would: bool,
        why: str, judge: str, judged: str = "",
    ) -> None:  # fmt: skip
        self.call_id = call_id
        self.at_us = at_us  # wall clock
        self.number = number
        self.source = source
        self.similarity = similarity
        self.served = served
        self.would = would
        self.why = why
        self.judge = judge
        self.judged = judged  # right | wrong


class Outcomes:
    """The latest `MOST`."""

    __slots__ = ("_by_call", "_most")

    def __init__(self, most: int = MOST) -> None:
        self._by_call: OrderedDict[int, Outcome] = OrderedDict()
        self._most = most

    def __len__(self) -> int:
        return len(self._by_call)

    def __iter__(self) -> Iterator[Outcome]:
        return iter(self._by_call.values())

    def put(self, outcome: Outcome) -> None:
        """The latest one."""
        self._by_call[outcome.call_id] = outcome
        if len(self._by_call) > self._most:
            self._by_call.popitem(last=False)

    def get(self, call_id: int) -> Outcome | None:
        """None: there was none, or long ago."""
        return self._by_call.get(call_id)
