"""What an operator has taken out of service: nobody is sent there until it is restored, whatever its health.

One is shared by all lanes of a scope. It costs a call nothing: a lane's breaker has noted it.
"""

from collections.abc import Callable
from typing import Final

from tidegate.policy.failure.health import Watcher

DRAINED_US: Final = 1 << 50  # a wait that ends by an operator's word only: longer than any deadline


class Drain:
    """Of one scope. Changes are O(lanes of the scope)."""

    __slots__ = ("_watchers", "on")

    def __init__(self) -> None:
        self._watchers: dict[Watcher, None] = {}
        self.on = False

    def watch(self, watcher: Watcher) -> None:
        """Tell it of every change from now on."""
        self._watchers[watcher] = None

    def unwatch(self, watcher: Watcher) -> None:
        """No more. Harmless when it does not watch."""
        self._watchers.pop(watcher, None)

    def put(self, *, on: bool) -> bool:
        """Out of service, or in it again; True when that is new."""
        if on == self.on:
            return False
        self.on = on
        listeners: dict[Callable[[], None], None] = {}
        for watcher in self._watchers:
            listeners.update(watcher.refresh())
        for listener in listeners:
            listener()
        return True
