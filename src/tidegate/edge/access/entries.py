"""A key and its namespace, as a roster holds them."""

import msgspec

from tidegate.model.snapshot import ClientKey, Namespace, User


class Tenancy:
    """A namespace as one source knows it: with a record of its own, or only with users and keys."""

    __slots__ = ("alive", "name", "namespace", "users")

    def __init__(self, name: str) -> None:
        self.name = name  # "" = keys without a namespace
        self.namespace: Namespace | None = None
        self.users: dict[str, User] = {}
        self.alive = True


class KeyEntry(msgspec.Struct, frozen=True, gc=False):
    """A key, and where it belongs. There may be a hundred thousand: the collector need not look at them."""

    key: ClientKey
    tenancy: Tenancy
