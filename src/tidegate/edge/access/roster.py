"""Who may call, as records: what the configuration file declares, or what the directory log manages."""

from typing import Final, Generic, TypeVar

from tidegate.edge.access.entries import KeyEntry, Tenancy
from tidegate.model.directory import DRAIN, Change, Gone, PutDrain, PutKey, PutNamespace, PutUser, drained_of
from tidegate.model.snapshot import ClientKey, Snapshot

_PARTS: Final = 64

K = TypeVar("K")


class Parts(Generic[K]):
    """A mapping in parts: a mapping of a hundred thousand entries that outgrows its place takes 12 ms to move."""

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: list[dict[K, KeyEntry]] = [{} for _ in range(_PARTS)]

    def of(self, key: K) -> dict[K, KeyEntry]:
        """The part in which this key stands, if it does."""
        return self._parts[hash(key) % _PARTS]

    def let_go(self, most: int) -> bool:
        """Forget so many entries; False when none is left."""
        while self._parts and most > 0:
            part = self._parts[-1]
            for _ in range(min(most, len(part))):
                part.popitem()
                most -= 1
            if not part:
                self._parts.pop()
        return bool(self._parts)


class Roster:
    """Namespaces, users and keys of one source. Every change and every look-up is O(1)."""

    __slots__ = ("_keys", "_names", "drained", "keyed", "tenancies")

    def __init__(self) -> None:
        self.keyed = False  # somebody declares or manages keys here, even if none is left
        self.tenancies: dict[str, Tenancy] = {}
        self.drained: frozenset[tuple[str, str, str]] = frozenset()  # accounts: provider, scope, key or ""
        self._keys: Parts[bytes] = Parts()
        self._names: Parts[str] = Parts()

    def by_digest(self, digest: bytes) -> KeyEntry | None:
        """The key of this SHA-256."""
        entry = self._keys.of(digest).get(digest)
        return entry if entry is not None and entry.tenancy.alive else None

    def by_name(self, name: str) -> KeyEntry | None:
        """The key of this name; of several in the file, the first."""
        entry = self._names.of(name).get(name)
        return entry if entry is not None and entry.tenancy.alive else None

    def apply(self, change: Change) -> None:
        """Follow one change of the log.

        Names and digests of keys are unique: who comes second with one that another key holds is not let in.
        """
        if isinstance(change, PutKey):
            self._put_key(change.key, self.tenancy(change.namespace))
        elif isinstance(change, Gone):
            self._remove(change)
        elif isinstance(change, PutUser):
            self.tenancy(change.namespace).users[change.user.name] = change.user
        elif isinstance(change, PutDrain):
            self.drained |= {(change.provider, change.scope, change.key)}
        elif isinstance(change, PutNamespace):
            self.tenancy(change.namespace.name).namespace = change.namespace

    def distrust(self) -> None:
        """There is a log of changes, and it cannot be read: it may have named keys."""
        self.keyed = True

    def let_go(self, most: int) -> bool:
        """Forget so many keys: to free a hundred thousand at once takes longer than calls should wait."""
        return self._names.let_go(most) or self._keys.let_go(most)

    def tenancy(self, name: str) -> Tenancy:
        """The namespace of this name, new where there was none."""
        found = self.tenancies.get(name)
        if found is None:
            found = self.tenancies[name] = Tenancy(name)
        return found

    def declare(self, key: ClientKey, tenancy: Tenancy) -> None:
        """A key of the file, where several may have one name."""
        self.keyed = True
        entry = self._keys.of(key.digest)[key.digest] = KeyEntry(key, tenancy)
        self._names.of(key.name).setdefault(key.name, entry)

    def _put_key(self, key: ClientKey, tenancy: Tenancy) -> None:
        self.keyed = True
        same, twin = self.by_name(key.name), self.by_digest(key.digest)
        if (same is not None and same.tenancy is not tenancy) or (twin is not None and twin is not same):
            return
        if same is not None and same is not twin:
            self._keys.of(same.key.digest).pop(same.key.digest)
        self._keys.of(key.digest)[key.digest] = self._names.of(key.name)[key.name] = KeyEntry(key, tenancy)

    def _remove(self, gone: Gone) -> None:
        """With a namespace go its keys at once: what is left of them here goes when a new file is read."""
        if gone.kind == "key":
            self.keyed = True
            entry = self.by_name(gone.name)
            if entry is not None and entry.tenancy.name == gone.namespace:
                self._names.of(gone.name).pop(gone.name)
                self._keys.of(entry.key.digest).pop(entry.key.digest)
        elif gone.kind == DRAIN:
            self.drained -= {(gone.namespace, *drained_of(gone.name))}
        elif gone.kind == "user":
            self.tenancy(gone.namespace).users.pop(gone.name, None)
        else:
            tenancy = self.tenancies.pop(gone.name, None)
            if tenancy is not None:
                tenancy.alive = False


def declared(snapshot: Snapshot) -> Roster:
    """Everybody whom the file names. O(keys).

    A key of a namespace belongs to it, and so does any other key with the namespace's name.
    """
    roster = Roster()
    for item in snapshot.namespaces:
        tenancy = roster.tenancy(item.name)
        tenancy.namespace = item
        tenancy.users = {user.name: user for user in item.users}
    lone = Tenancy("")
    for key in snapshot.clients:
        roster.declare(key, roster.tenancies.get(key.name, lone))
    for item in snapshot.namespaces:
        for key in item.clients:
            roster.declare(key, roster.tenancies[item.name])
    return roster
