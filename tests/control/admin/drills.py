"""A desk whose gate has a drill."""

from msgspec.structs import replace

from tests.control.admin.desk import WALL, Desk, Lines
from tests.drills.test_runner import SETTINGS
from tidegate.control.drills import Drills
from tidegate.drills.watch import Clocks, DrillWatch


class Still(Drills):
    """Nothing runs: the test looks."""

    __slots__ = ("made",)

    def watch(self) -> DrillWatch:
        return self.made


def with_drills(desk: Desk) -> DrillWatch:
    """The drill `d` of strategy `s`, with the fallback `good`."""
    desk.declaration.now = replace(desk.declaration.now, drills=SETTINGS)
    drills = Still.__new__(Still)
    drills._declaration = desk.declaration
    drills.made = DrillWatch(
        desk.folder,
        lambda: desk.engine,
        lambda: drills.settings,
        lambda: None,
        Lines(),
        Clocks(lambda: 0, lambda: WALL),
    )
    desk.office.drills = drills
    return drills.made
