"""The records that policies hand to each other.

They stand apart because the modules that decide are compiled, and a compiled module cannot define msgspec structs
(docs/design/compiled.md).
"""

from typing import TYPE_CHECKING

import msgspec

if TYPE_CHECKING:
    from tidegate.policy.queue.outlet import Outlet
    from tidegate.policy.queue.waiting import Waiting


class Ahead(msgspec.Struct, frozen=True, gc=False):
    """What is served before a newcomer, by the discipline's own rule: an upper estimate."""

    requests: int
    tokens: int


class Floor(msgspec.Struct, frozen=True, gc=False):
    """What a tier gets though higher ones never yield: after a while, a part of all service, behind this much."""

    after_us: int
    permille: int
    ahead: Ahead


class Prediction(msgspec.Struct, frozen=True, gc=False):
    """When a newcomer would be served: 0 = now, microseconds, or NEVER; `full` = there is no room to wait."""

    wait_us: int
    full: bool = False


class Grant(msgspec.Struct, frozen=True, gc=False):
    """The ticket's turn has come, through this outlet; None: no waiting makes its cost possible."""

    ticket: "Waiting"
    outlet: "Outlet | None"


class Rules(msgspec.Struct, frozen=True):
    """What the configuration says of a pool. `shares`: thousandths by tenant or tier; `only`: likewise, who may draw.

    `tiered`: calls of more than one tier come here.
    """

    max_waiting: int
    only: tuple[str, ...] = ()
    shares: tuple[tuple[str, int], ...] = ()
    tiered: bool = False


class Candidate(msgspec.Struct, frozen=True, gc=False):
    """A target that may still be tried.

    `wait_us` may be NEVER; `tripped` = refused on end; `full` = no room to wait; `answer_us` = what must be left of the
    deadline when its turn comes, for an answer to arrive in time.
    """

    wait_us: int
    tripped: bool = False
    full: bool = False
    answer_us: int = 0


class Choice(msgspec.Struct, frozen=True, gc=False):
    """`index` into the candidates, or -1: refused, and `wait_us` is when it could be served (NEVER: not at all)."""

    index: int
    wait_us: int
    full: bool = False  # refused because there is no room to wait in
    earliest: int = -1  # refused: the candidate that could have served it at that time


class States(msgspec.Struct, frozen=True):
    """Every outlet in one list. `busy`: quota or cap used up; `cooling`: refused for a while; `tripped`: on end."""

    ready: "list[Outlet]"
    busy: "list[Outlet]"
    cooling: "list[Outlet]"
    tripped: "list[Outlet]"


class Seen(msgspec.Struct, frozen=True, gc=False):
    """One dimension as the provider shows it: whole requests or tokens."""

    limit: int
    left: int
    odd: bool = False  # the triple contradicts itself: no bucket of a minute looks like that
