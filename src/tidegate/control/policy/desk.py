"""Editing the policy: shown without its secrets, tried, applied so that nobody's change is lost, kept as history.

```
text with masks ─▶ Editor (a process): masks filled, checked ─▶ file ─▶ supervisor: loader, every worker ─▶ in force
       base ≠ what is in force: 409 ◀──┘          wrong: 422 ◀──┘   refused: the former text again ◀──┘
```
"""

import hmac
import os
import socket
import threading
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple

from tidegate.control.admin.problems import Fault, Refused, refused
from tidegate.control.policy import file as files
from tidegate.control.policy.editor import Editor, Overrun

KEY: Final = "policy.key"  # in the state directory: what masks and digests are made with
_COMMON: Final = sha256(b"tidegate policy of all nodes").digest()  # such a text holds no secret
_MOST_FAULTS: Final = 20
_RESERVED: Final = "only an administrator may change who comes in, the database, and programs that are run"
_ADMIN: Final = "ask somebody with role `admin` to apply it, or leave this field as it is"
_DOWNLOAD: Final = "download the text, and put it where the file comes from"


class Ways(NamedTuple):
    """How the rest of the process is asked; from any thread."""

    file: Callable[[], str]  # the node's own, "" = not known yet
    shared: Callable[[], bytes | None]  # what all nodes have agreed upon; None: this node serves by its file
    reload: Callable[[], tuple[int, str]]  # the file was written: the version in force, or 0 and why not
    put: Callable[[bytes], str]  # propose to all nodes; why it is not in force
    version: Callable[[], int]  # in force
    node: Callable[[], str]


class Current(NamedTuple):
    """What is in force, as far as its file says."""

    raw: bytes
    digest: str
    common: bool


class Applied(NamedTuple):
    """What became of a change: the masked text that is in force now, and lines that were added and removed."""

    version: int
    digest: str
    text: str
    added: int
    removed: int
    changed: bool


class PolicyDesk:
    """One for the process; for any thread."""

    __slots__ = ("_editor", "_key", "_lock", "_shown", "_state_dir", "ways")

    def __init__(self, state_dir: Path, ways: Ways, editor: Editor | None = None) -> None:
        self.ways = ways
        self._state_dir = state_dir
        self._editor = Editor() if editor is None else editor
        self._key = b""
        self._lock = threading.Lock()  # one change at a time
        self._shown: tuple[str, dict[str, Any]] = ("", {})

    def current(self) -> Current:
        """Read it. Raises `Refused` (503)."""
        shared = self.ways.shared()
        if shared is not None:
            return Current(shared, self._digest(shared, _COMMON), common=True)
        path = self.ways.file()
        try:
            raw = files.read(path) if path else None
        except (OSError, ValueError):
            raw = None
        if raw is None:
            raise refused(503, "file", "the configuration file cannot be read", "see whether it is there; try again")
        return Current(raw, self._digest(raw, self._own_key()), common=False)

    def show(self) -> dict[str, Any]:
        """As the API shows it, but for `version`."""
        now = self.current()
        digest, shown = self._shown
        if digest != now.digest:
            shown = self._ask("show", now)
            self._shown = now.digest, shown
        why = self._why_not(now)
        return {
            "digest": now.digest, "file": os.path.basename(self.ways.file()), **shown, "writable": not why,  # noqa: PTH119
            **({"why_not": why} if why else {}),
        }  # fmt: skip

    def preview(self, base: str, text: str | None, changes: Sequence[Mapping[str, object]]) -> dict[str, Any]:
        """What a text, or changes, would come to. Nothing changes."""
        now = self._based(base)
        found = self._ask("edit", now, text=text, changes=list(changes))
        found.pop("plain")
        found.pop("added")
        found.pop("removed")
        return {**found, "digest": now.digest}

    def plain(self, base: str, text: str) -> tuple[bytes, str]:
        """A text with its secrets, which must be right, and the file that it would stand in."""
        return self._edited(self._based(base), text, restores=False)["plain"].encode(), self.ways.file()

    def masked(self, now: Current) -> str:
        """What is in force without its secrets."""
        text: str = self._ask("show", now, checks=False)["text"]
        return text

    def apply(self, base: str, text: str, *, restores: bool = False, guards: bool = False) -> Applied:
        """Have every worker serve by it, or nobody. Raises `Refused`: 403, 409, 422, 502, 503.

        `guards`: not where it changes what only an administrator may.
        """
        with self._lock:
            now = self._based(base)
            why = self._why_not(now)
            if why:
                raise refused(409, "file", why, _DOWNLOAD)
            made = self._edited(now, text, restores=restores, guards=guards)
            new = made["plain"].encode()
            counted = made["text"], made["added"], made["removed"]
            if new == now.raw:
                return Applied(self.ways.version(), now.digest, *counted, changed=False)
            self._based(base)  # it took a while
            version = self._share(new) if now.common else self._write(now.raw, new)
            key = _COMMON if now.common else self._own_key()
            return Applied(version, self._digest(new, key), *counted, changed=True)

    def _edited(self, now: Current, text: str, *, restores: bool, guards: bool = False) -> dict[str, Any]:
        made = self._ask("edit", now, text=text, hides=True, restores=restores, guards=guards)
        if made["errors"]:
            raise _wrong(made["errors"], made["warnings"])
        if guards and made["reserved"]:
            raise Refused(403, [Fault(field, _RESERVED, _ADMIN) for field in made["reserved"]])
        return made

    def _write(self, former: bytes, new: bytes) -> int:
        path = self.ways.file()
        try:
            files.write(path, new)
        except files.Unwritable as error:
            raise refused(409, "file", str(error), _DOWNLOAD) from None
        version, reason = self.ways.reload()
        if version:
            return version
        if files.read(path) == new:  # else somebody else has changed it since
            try:
                files.write(path, former)
            except files.Unwritable as error:
                raise refused(502, "text", f"{reason}; and {error}", "put the former text back by hand") from None
        raise refused(502, "text", f"it is refused: {reason}", "the former text stays in force; change what is named")

    def _share(self, new: bytes) -> int:
        problem = self.ways.put(new)
        if problem:
            remedy = "what was in force stays, on all nodes; change what is named"
            raise refused(502, "text", f"it is refused: {problem}", remedy)
        path = self.ways.file()
        if path and not files.why_not(path):
            try:
                files.write(path, new)
            except files.Unwritable:
                return self.ways.version()  # all nodes serve by it; the file is what a node without memory begins with
        return self.ways.version()

    def _based(self, base: str) -> Current:
        """What is in force, if that is what somebody saw. Raises `Refused` (409) with what it is now."""
        now = self.current()
        if not hmac.compare_digest(base.encode(errors="replace"), now.digest.encode()):
            remedy = "put your change into the text as it is now"
            fault = Fault("base", "somebody else has changed it meanwhile", remedy)
            raise Refused(409, (fault,), more={"digest": now.digest, "text": self.masked(now)})
        return now

    def _why_not(self, now: Current) -> str:
        path = self.ways.file()
        return files.why_not(path) if path else "the gate has not said yet which file it is" if not now.common else ""

    def _ask(self, what: str, now: Current, **more: object) -> dict[str, Any]:
        key = _COMMON if now.common else self._own_key()
        question = {
            "what": what, "key": key.hex(), "base": now.raw.decode(errors="replace"), "file": self.ways.file(),
            "common": now.common, **more,
        }  # fmt: skip
        try:
            return self._editor.ask(question)
        except Overrun as error:
            remedy = "try again, or change the file itself"
            raise refused(503, "text", str(error), remedy, ("retry-after", "5")) from None

    def _digest(self, raw: bytes, key: bytes) -> str:
        """Keyed, so that nobody can try out short secrets on it."""
        return hmac.new(key, raw, sha256).hexdigest()

    def _own_key(self) -> bytes:
        """Made once, in the state directory. Raises `OSError`."""
        if not self._key:
            path = self._state_dir / KEY
            try:
                descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                with os.fdopen(descriptor, "wb") as made:
                    made.write(os.urandom(32))
            except FileExistsError:
                pass
            self._key = path.read_bytes()
        return self._key


def _wrong(errors: Sequence[Mapping[str, Any]], warnings: Sequence[object]) -> Refused:
    """All findings; the first of them as faults, too."""
    faults = [
        Fault(f"text:{one['line']}:{one['column']}" + (f" {one['field']}" if one["field"] else ""), one["message"],
              one["remedy"] or "see docs/configuration.md")
        for one in errors[:_MOST_FAULTS]
    ]  # fmt: skip
    return Refused(422, faults, more={"findings": list(errors), "warnings": list(warnings)})


def node_name(declared: str) -> str:
    """Whose file it is in the history."""
    return declared or socket.gethostname()
