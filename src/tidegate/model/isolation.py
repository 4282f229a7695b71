"""Which worker serves whom, where namespaces are isolated: pure questions to a worker's snapshot."""

from tidegate.model.snapshot import Snapshot


class Served:
    """Whose keys, declared or managed, the worker of a snapshot takes; "" is the namespace of those without one."""

    __slots__ = ("_elsewhere", "_only")

    def __init__(self, snapshot: Snapshot) -> None:
        """O(isolated namespaces)."""
        self._only = snapshot.namespace
        self._elsewhere = frozenset(item.namespace for item in snapshot.isolated)

    def __contains__(self, namespace: str) -> bool:
        return namespace == self._only if self._only else namespace not in self._elsewhere


def asks_for_keys(snapshot: Snapshot) -> bool:
    """Whether a caller must show a key even while this worker knows none.

    Because the file says so, or because its neighbours' keys are still keys.
    """
    return snapshot.keys_required or bool(snapshot.isolated)
