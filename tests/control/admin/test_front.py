"""The admin API is ready where somebody will ask it, and costs nothing where nobody does."""

import asyncio

from tests.control.admin.desk import Desk
from tidegate.control.admin.front import Front
from tidegate.control.admin.services.caretaker import Caretaker


def test_where_keys_are_managed_the_api_is_ready_before_it_is_asked(desk: Desk) -> None:
    """Its imports take a second: a key that is revoked at another node than it was made at is revoked within one."""

    async def tended() -> bool:
        front = Front(lambda: desk.office)
        await asyncio.to_thread(front.tend, Caretaker(desk.office), asyncio.get_running_loop())
        await asyncio.sleep(0)
        return front.warming

    assert not asyncio.run(tended())
    desk.made("/namespaces", {"name": "team"})
    assert asyncio.run(tended())


def test_who_hears_nothing_of_other_nodes_looks_more_often(desk: Desk) -> None:
    """While the shared state is away nobody tells: what another node revoked is found within a second all the same."""
    deaf: list[bool] = []
    front = Front(lambda: desk.office, deaf=lambda: bool(deaf))
    often = front.pause_s
    deaf.append(True)
    assert front.pause_s < 1 < often
