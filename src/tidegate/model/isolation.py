"""Which worker serves whom, where namespaces are isolated: pure questions to a worker's snapshot."""

from tidegate.model.snapshot import Snapshot


def serves(snapshot: Snapshot, namespace: str) -> bool:
    """Whether the worker of this snapshot takes the keys of a namespace, declared or managed; "" = of none.

    O(isolated namespaces): for when keys are loaded or change, not for a call.
    """
    if snapshot.namespace:
        return namespace == snapshot.namespace
    return all(item.namespace != namespace for item in snapshot.isolated)


def asks_for_keys(snapshot: Snapshot) -> bool:
    """Whether a caller must show a key even while this worker knows none.

    Because the file says so, or because its neighbours' keys are still keys.
    """
    return snapshot.keys_required or bool(snapshot.isolated)
