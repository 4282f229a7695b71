"""Shadow traffic by the admin API: what candidates answered, by day."""

from tests.control.admin.desk import WALL, Desk
from tidegate.model.shadow import Compared
from tidegate.store import shadows
from tidegate.store.engine import writing
from tidegate.units import DAY_US

ONE = Compared(1, 2, WALL, "chat", "new", "answered", 900, True, 2_000, 4_000, 30, 40, 50, 60)


def test_sums_and_means_by_day(desk: Desk) -> None:
    """As far back as asked; a day without an answer has no mean."""
    assert desk.engine is not None
    before = WALL - 2 * DAY_US
    with writing(desk.engine) as connection:
        shadows.write(connection, [ONE, ONE, Compared(3, 0, before, "chat", "new", "unasked")])
    today, old = desk.ask("GET", "/shadows").json()
    assert (today["calls"], today["answered"], today["agreed"], today["similarity"]) == (2, 2, 2, 0.9)
    assert (today["primary_ms"], today["candidate_ms"], today["candidate_chars"]) == (2.0, 4.0, 60.0)
    assert (today["primary_cost"], today["candidate_cost"]) == ("0.00000006", "0.00000008")
    assert (old["calls"], old["unasked"], old["similarity"]) == (1, 1, 0.0)
    assert len(today["day"]) == len("2026-11-22")
    assert len(desk.ask("GET", "/shadows?days=2").json()) == 1
    assert desk.ask("GET", "/shadows?days=0").status_code == 422
