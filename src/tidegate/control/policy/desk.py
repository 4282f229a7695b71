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
from collections.abc import Callable, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Final, NamedTuple, TypeAlias, TypedDict, TypeVar

import msgspec

from tidegate.config.edit.asked import (
    Answer,
    Applicable,
    ApplyAsk,
    Ask,
    EditAsk,
    Preview,
    Reserved,
    ShowAsk,
    Shown,
    Step,
    Wrong,
)
from tidegate.control.admin.problems import Fault, Refused, refused
from tidegate.control.policy import file as files
from tidegate.control.policy.editor import Editor, Overrun

KEY: Final = "policy.key"  # in the state directory: what masks and digests are made with
_COMMON: Final = sha256(b"tidegate policy of all nodes").digest()  # such a text holds no secret
_MOST_FAULTS: Final = 20
_RESERVED: Final = (
    "only an administrator may change who comes in, the database, files and programs that the gate uses, and where a "
    "secret is sent that he does not write himself"
)
_ADMIN: Final = "ask somebody with role `admin` to apply it, or leave this field as it is"
_Answer = TypeVar("_Answer", Shown, Preview, Applicable)
Before: TypeAlias = Callable[[str], None]
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


class Seen(NamedTuple):
    """What is in force, as it is shown; `why_not`: why it cannot be changed here, "" = it can."""

    digest: str
    file: str
    shown: Shown
    why_not: str


class _About(TypedDict):
    key: bytes
    base: str
    file: str
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
        self._shown: tuple[str, Shown | None] = ("", None)

    @property
    def changing(self) -> bool:
        """Is a change under way, which may yet be taken back?"""
        return self._lock.locked()

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

    def show(self) -> Seen:
        """What is in force, as anybody may see it who may see the policy."""
        now = self.current()
        digest, shown = self._shown
        if shown is None or digest != now.digest:
            shown = self._told(ShowAsk(**self._about(now)), Shown)
            self._shown = now.digest, shown
        return Seen(now.digest, os.path.basename(self.ways.file()), shown, self._why_not(now))  # noqa: PTH119

    def preview(
        self, base: str, text: str | None, changes: Sequence[Step], *, alone: bool = False
    ) -> tuple[Preview, str]:
        """What a text, or changes, would come to, and the digest of what is in force. Nothing changes.

        `alone`: for somebody who may not apply it: the text is judged by itself, nothing that it names is read.
        """
        now = self._based(base)
        asked = EditAsk(**self._about(now), text=text, changes=tuple(changes), alone=alone)
        return self._told(asked, Preview), now.digest

    def plain(self, base: str, text: str, *, guards: bool = False) -> tuple[bytes, str]:
        """A text with its secrets, which must be right, and the file that it would stand in."""
        return self._applicable(self._based(base), text, guards=guards).plain.encode(), self.ways.file()

    def masked(self, now: Current) -> str:
        """What is in force without its secrets."""
        return self._told(ShowAsk(**self._about(now), checks=False), Shown).text

    def apply(
        self, base: str, text: str, *, restores: bool = False, guards: bool = False, before: Before = lambda _new: None
    ) -> Applied:
        """Have every worker serve by it, or nobody. Raises `Refused`: 403, 409, 422, 502, 503.

        `guards`: not where it changes what only an administrator may. `before` is called with the digest of what is to
        be in force, once nothing is left but to write it; what it raises leaves everything as it is.
        """
        with self._lock:
            now = self._based(base)
            why = self._why_not(now)
            if why:
                raise refused(409, "file", why, _DOWNLOAD)
            made = self._applicable(now, text, restores=restores, guards=guards)
            new = made.plain.encode()
            counted = made.text, made.added, made.removed
            if new == now.raw:
                return Applied(self.ways.version(), now.digest, *counted, changed=False)
            self._based(base)  # it took a while
            digest = self._digest(new, _COMMON if now.common else self._own_key())
            before(digest)
            version = self._share(new) if now.common else self._write(now.raw, new)
            return Applied(version, digest, *counted, changed=True)

    def _applicable(self, now: Current, text: str, *, restores: bool = False, guards: bool = False) -> Applicable:
        made = self._asked(ApplyAsk(**self._about(now), text=text, restores=restores, guards=guards))
        if isinstance(made, Wrong):
            raise _wrong(made)
        if isinstance(made, Reserved):
            raise Refused(403, [Fault(field, _RESERVED, _ADMIN) for field in made.fields])
        return _as(made, Applicable)

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

    def _about(self, now: Current) -> _About:
        """What every question says."""
        key = _COMMON if now.common else self._own_key()
        return {
            "key": key, "base": now.raw.decode(errors="replace"), "file": self.ways.file(), "common": now.common,
        }  # fmt: skip

    def _told(self, question: Ask, kind: type[_Answer]) -> _Answer:
        return _as(self._asked(question), kind)

    def _asked(self, question: Ask) -> Answer:
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


def _as(told: Answer, kind: type[_Answer]) -> _Answer:
    """The answer that belongs to a question."""
    if not isinstance(told, kind):
        raise TypeError(type(told).__name__)
    return told


def _wrong(made: Wrong) -> Refused:
    """All findings; the first of them as faults, too."""
    faults = [
        Fault(f"text:{one.line}:{one.column}" + (f" {one.field}" if one.field else ""), one.message,
              one.remedy or "see docs/configuration.md")
        for one in made.errors[:_MOST_FAULTS]
    ]  # fmt: skip
    findings, warnings = msgspec.to_builtins(made.errors), msgspec.to_builtins(made.warnings)
    return Refused(422, faults, more={"findings": findings, "warnings": warnings})


def node_name(declared: str) -> str:
    """Whose file it is in the history."""
    return declared or socket.gethostname()
