"""Gates of the measured build: one, or several as the nodes of one cluster, each with its workers and its place."""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from bench.gate import program
from harness import node
from harness.node import LOCAL, Place
from harness.ports import free_port
from harness.process import NotReady

WORKER_BIT: Final = 53  # ids of calls carry the worker's number above it


class Node(node.Node):
    """One of them."""

    def __init__(
        self,
        home: Path,
        full: Mapping[str, Any],
        workers: int = 1,
        place: Place = LOCAL,
        *,
        checked: bool = True,
        name: str = "",
    ) -> None:
        """Raises `NotReady` for a file that the gate refuses, unless that is what is looked at.

        Its name in a cluster is its folder's unless it is given.
        """
        named = ["--node", name or home.name] if "cluster" in full else []
        super().__init__(home, full, "--workers", str(workers), *named, program=[program()], place=place)
        self.size = workers
        wrong = self.complaint() if checked else ""
        if wrong:
            raise NotReady(wrong)


@contextlib.contextmanager
def nodes(
    work: Path, name: str, full: Mapping[str, Any], shape: Sequence[int], places: Sequence[Place] = ()
) -> Iterator[list[Node]]:
    """So many gates with so many workers each, of the same file, until the end of the block. Raises `NotReady`."""
    started: list[Node] = []
    spot = free_port()
    try:
        for number, workers in enumerate(shape):
            place = places[number] if places else Place()
            started.append(Node(work / f"{name}-{spot}-{number}", full, workers, place))
            started[-1].start()
        yield started
    finally:
        for node in started:
            node.stop()


def worker_of(headers: Mapping[str, str]) -> int:
    """The number of the worker that answered, by the id it gave the call; -1 where there is none."""
    name = headers.get("x-request-id", "")
    return int(name.removeprefix("req_"), 16) >> WORKER_BIT if name.startswith("req_") else -1
