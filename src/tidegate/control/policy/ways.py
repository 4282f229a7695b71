"""The control process's loop, as threads that edit ask it: what is in force, and what becomes of a change."""

import asyncio
import itertools
from collections.abc import Callable, Coroutine
from typing import Any, Final, TypeVar

from tidegate.control.declared import Declaration
from tidegate.control.policy.desk import Ways, node_name
from tidegate.control.sharing import Sharing
from tidegate.supervisor.messages import Message, Reload, Reloaded

_SECONDS: Final = 90.0  # for all workers, or all nodes, to serve by it
_T = TypeVar("_T")


class Reloads:
    """Asks the supervisor to read the file, and hears what became of it. On the loop."""

    __slots__ = ("_numbers", "_send", "_waiting")

    def __init__(self, send: Callable[[Message], None]) -> None:
        self._send = send
        self._numbers = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[Reloaded]] = {}

    def heard(self, message: Reloaded) -> None:
        """The supervisor's verdict."""
        waiting = self._waiting.pop(message.number, None)
        if waiting is not None and not waiting.done():
            waiting.set_result(message)

    async def ask(self) -> tuple[int, str]:
        """The version in force, or 0 and why the file is not taken."""
        number = next(self._numbers)
        waiting = self._waiting[number] = asyncio.get_running_loop().create_future()
        self._send(Reload(number))
        try:
            told = await asyncio.wait_for(waiting, _SECONDS)
        except TimeoutError:
            return 0, f"not all workers have taken it within {_SECONDS:g} s"
        finally:
            self._waiting.pop(number, None)
        return told.version, told.reason


def ways(loop: asyncio.AbstractEventLoop, reloads: Reloads, sharing: Sharing, declaration: Declaration) -> Ways:
    """Everything by the loop, and waited for in the thread that asks."""

    def wait(work: Coroutine[Any, Any, _T]) -> _T:
        return asyncio.run_coroutine_threadsafe(work, loop).result(_SECONDS + 10)

    return Ways(
        sharing.file,
        sharing.text,
        lambda: wait(reloads.ask()),
        lambda text: wait(_put(sharing, text)),
        lambda: declaration.now.version,
        lambda: node_name(declaration.now.cluster.node),
    )


async def _put(sharing: Sharing, text: bytes) -> str:
    try:
        return await asyncio.wait_for(sharing.put(text), _SECONDS)
    except TimeoutError:
        return f"not all nodes have answered within {_SECONDS:g} s"
