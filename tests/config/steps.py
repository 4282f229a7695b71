"""How much work something is: lines of the gate that are run, which no other load on the machine changes."""

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any, Final

import tidegate

_PACKAGE: Final = tidegate.__path__[0]


def steps(work: Callable[[], object]) -> int:
    """Lines of the package that `work` runs; each turn of a loop counts, and none of what C or other packages do."""
    count = 0

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        if not frame.f_code.co_filename.startswith(_PACKAGE):
            return None
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def growth(work: Callable[[int], object], n: int) -> float:
    """How much more the second doubling costs than the first: 2 where work is linear in n, 4 where it is its square.

    What does not depend on n counts for nothing.
    """
    work(n)  # what is read once
    one, two, four = (steps(lambda size=size: work(size)) for size in (n, 2 * n, 4 * n))  # type: ignore[misc]
    return (four - two) / max(two - one, 1)
