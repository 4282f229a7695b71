"""Who may call, as records: what the configuration file declares, or what the directory log manages."""

from tidegate.model.directory import Change, Gone, PutKey, PutNamespace, PutUser
from tidegate.model.snapshot import ClientKey, Namespace, Snapshot, User


class Tenancy:
    """A namespace as one source knows it: with a record of its own, or only with users and keys."""

    __slots__ = ("alive", "name", "namespace", "users")

    def __init__(self, name: str) -> None:
        self.name = name  # "" = keys without a namespace
        self.namespace: Namespace | None = None
        self.users: dict[str, User] = {}
        self.alive = True


class Entry:
    """A key, and where it belongs."""

    __slots__ = ("key", "tenancy")

    def __init__(self, key: ClientKey, tenancy: Tenancy) -> None:
        self.key = key
        self.tenancy = tenancy


class Roster:
    """Namespaces, users and keys of one source. Every change and every look-up is O(1)."""

    __slots__ = ("_keys", "_names", "keyed", "tenancies")

    def __init__(self) -> None:
        self.keyed = False  # somebody declares or manages keys here, even if none is left
        self.tenancies: dict[str, Tenancy] = {}
        self._keys: dict[bytes, Entry] = {}
        self._names: dict[str, Entry] = {}

    def by_digest(self, digest: bytes) -> Entry | None:
        """The key of this SHA-256."""
        entry = self._keys.get(digest)
        return entry if entry is not None and entry.tenancy.alive else None

    def by_name(self, name: str) -> Entry | None:
        """The key of this name; of several in the file, the first."""
        entry = self._names.get(name)
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
        elif isinstance(change, PutNamespace):
            self.tenancy(change.namespace.name).namespace = change.namespace

    def tenancy(self, name: str) -> Tenancy:
        """The namespace of this name, new where there was none."""
        found = self.tenancies.get(name)
        if found is None:
            found = self.tenancies[name] = Tenancy(name)
        return found

    def declare(self, key: ClientKey, tenancy: Tenancy) -> None:
        """A key of the file, where several may have one name."""
        self.keyed = True
        entry = self._keys[key.digest] = Entry(key, tenancy)
        self._names.setdefault(key.name, entry)

    def _put_key(self, key: ClientKey, tenancy: Tenancy) -> None:
        self.keyed = True
        same, twin = self.by_name(key.name), self.by_digest(key.digest)
        if (same is not None and same.tenancy is not tenancy) or (twin is not None and twin is not same):
            return
        if same is not None and same is not twin:
            del self._keys[same.key.digest]
        self._keys[key.digest] = self._names[key.name] = Entry(key, tenancy)

    def _remove(self, gone: Gone) -> None:
        """With a namespace go its keys at once: what is left of them here goes when a new file is read."""
        if gone.kind == "key":
            self.keyed = True
            entry = self.by_name(gone.name)
            if entry is not None and entry.tenancy.name == gone.namespace:
                del self._names[gone.name], self._keys[entry.key.digest]
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
