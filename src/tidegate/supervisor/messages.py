"""What the supervisor and its children say to each other: sans-IO, bytes in, messages out.

A frame is one byte for the kind, the payload's length as u32, and the payload. Plain `struct` records rather than
msgpack: the supervisor would pay 5 MB and 60 ms for msgspec, and the snapshot passes through it undecoded.
"""

import json
import struct
from typing import NamedTuple

_FRAME = struct.Struct("!cI")
_LOADED = struct.Struct("!????QQHH")
_PART = struct.Struct("!HHII")
_STATUS = struct.Struct("!??II")
_READY = struct.Struct("!I")
_WARM = struct.Struct("!?")
_DIED = struct.Struct("!IQ")
_RELOAD = struct.Struct("!I")
_RELOADED = struct.Struct("!II")

LARGEST = 256 * 1024 * 1024


class Load(NamedTuple):
    """Supervisor to worker: serve by this snapshot; the first one starts it, later ones are reloads.

    Supervisor to control: this one is in force.
    """

    snapshot: bytes


class Ready(NamedTuple):
    """Child to supervisor: the last `Load` is in force (control: listening)."""

    pid: int


class Rejected(NamedTuple):
    """Worker to supervisor: the last `Load` could not be applied; what was in force stays.

    `configuration`: that is wrong, and not this machine.
    """

    reason: str
    configuration: bool = False


class Drain(NamedTuple):
    """Supervisor to worker: accept nothing new, finish the calls in flight, then end."""


class Warm(NamedTuple):
    """Successor to supervisor, after `Load`: it can serve by that, and waits for `Go`."""

    shares: bool  # what it spends is kept by a state that it shares with its predecessor


class Go(NamedTuple):
    """Supervisor to successor: take over what your predecessor left, and serve."""


class HandOver(NamedTuple):
    """Supervisor to worker: a successor serves the port, or will; finish what there is, then end."""


class Quiet(NamedTuple):
    """Worker to supervisor, after `HandOver`: nothing new comes in, nobody waits, what it knows is on disk."""


class Died(NamedTuple):
    """Supervisor to the other workers: this one's process has ended without a word, and is started again."""

    worker: int
    at_us: int  # monotonic, of this machine


class Part(NamedTuple):
    """What the supervisor knows of an isolated namespace, and the snapshot of its worker, undecoded."""

    namespace: str
    port: int
    cpu_permille: int  # of one CPU, 0 = no bound
    snapshot: bytes


class Loaded(NamedTuple):
    """Loader to supervisor: the file is good. The few fields the supervisor acts on, and snapshots undecoded.

    `snapshot` is the main worker's; `whole` is everybody's, empty where that is the same. `beside` names the services
    that are wanted beside the calls: `KIND`, or `KIND-NUMBER` where there are several (`supervisor/asides.py`).
    `shared`: workers share what the gate's own server keeps (`supervisor/shared.py`). `common`: the configuration is
    that of several nodes, and control offers what they have agreed upon.
    """

    clients: bool  # callers must show a key
    tls: bool
    drain_timeout_us: int
    snapshot: bytes
    parts: tuple[Part, ...] = ()
    whole: bytes = b""
    beside: tuple[str, ...] = ()
    shared: bool = False
    common: bool = False


class Named(NamedTuple):
    """Loader to supervisor, before all else: files whose change counts as one of the configuration; absolute paths."""

    files: tuple[str, ...]


class Source(NamedTuple):
    """Supervisor to control: this is the node's own file, and may have changed. `words`: what its loader is told."""

    file: str
    words: tuple[str, ...] = ()


class Reload(NamedTuple):
    """Control to supervisor: the node's own file was written just now. `number` is told back with what became of it."""

    number: int


class Reloaded(NamedTuple):
    """Supervisor to control: every worker serves by the file, as this version; or why not, and what was stays (0)."""

    number: int
    version: int
    reason: str = ""


class Status(NamedTuple):
    """Supervisor to control: how the gate stands."""

    ready: bool
    draining: bool
    version: int  # of the snapshot in force
    restarts: int  # of workers, since the supervisor started


class WorkerState(NamedTuple):
    """One worker as the supervisor sees it: 0 is the main one, the others serve a namespace each."""

    number: int
    namespace: str
    pid: int  # 0 = it is not running
    ready: bool
    port: int
    restarts: int
    cpu_permille: int  # of one CPU, 0 = no bound
    group: str  # the cgroup that bounds it, "" = none does
    trouble: str  # why it has no cgroup though it should


class Workers(NamedTuple):
    """Supervisor to control: all workers, whenever something of them changes."""

    workers: tuple[WorkerState, ...]


Message = (
    Load | Ready | Rejected | Drain | Warm | Go | HandOver | Quiet | Died | Loaded | Named | Source | Status | Workers
    | Reload | Reloaded
)  # fmt: skip


_BARE: dict[bytes, Message] = {b"D": Drain(), b"G": Go(), b"H": HandOver(), b"Q": Quiet()}
_KINDS = {type(message): kind for kind, message in _BARE.items()} | {
    Ready: b"R", Warm: b"A", Status: b"S", Died: b"B", Reload: b"Y",
}  # fmt: skip
_FORMS = {b"R": _READY, b"A": _WARM, b"S": _STATUS, b"B": _DIED, b"Y": _RELOAD}


class ProtocolError(Exception):
    """The peer sent what is no frame of ours."""


def encode(message: Message) -> bytes:
    """One frame."""
    kind, payload = _parts(message)
    return _FRAME.pack(kind, len(payload)) + payload


def _parts(message: Message) -> tuple[bytes, bytes]:
    match message:
        case Load(snapshot):
            return b"L", snapshot
        case Ready() | Warm() | Status() | Died() | Reload():
            kind = _KINDS[type(message)]
            return kind, _FORMS[kind].pack(*message)
        case Rejected(reason, configuration):
            return b"X", (b"1" if configuration else b"0") + reason.encode()
        case Reloaded(number, version, reason):
            return b"Z", _RELOADED.pack(number, version) + reason.encode(errors="replace")
        case Drain() | Go() | HandOver() | Quiet():
            return _KINDS[type(message)], b""
        case Loaded():
            return b"O", _packed(message)
        case Named() | Source():
            return _names(message)
        case Workers(workers):
            return b"W", json.dumps(workers).encode()


def _names(message: Named | Source) -> tuple[bytes, bytes]:
    kind, names = (b"N", message.files) if isinstance(message, Named) else (b"F", (message.file, *message.words))
    return kind, "\0".join(names).encode(errors="surrogatepass")


def _packed(message: Loaded) -> bytes:
    clients, tls, drain_timeout_us, snapshot, parts, whole, beside, shared, common = message
    names = "\0".join(beside).encode()
    head = _LOADED.pack(clients, tls, shared, common, drain_timeout_us, len(snapshot), len(parts), len(names))
    pieces = [head, names, snapshot]
    for part in parts:
        name = part.namespace.encode()
        pieces += [_PART.pack(len(name), part.port, part.cpu_permille, len(part.snapshot)), name, part.snapshot]
    return b"".join([*pieces, whole])


def decode(kind: bytes, payload: bytes) -> Message:
    """The message of one frame. Raises `ProtocolError`."""
    try:
        return _message(kind, payload)
    except (struct.error, ValueError, TypeError) as error:
        raise ProtocolError(f"bad frame of kind {kind!r}: {error}") from None


def _message(kind: bytes, payload: bytes) -> Message:  # noqa: PLR0911 - a kind each
    match kind:
        case b"L":
            return Load(payload)
        case b"R" | b"B":
            return Ready(*_READY.unpack(payload)) if kind == b"R" else Died(*_DIED.unpack(payload))
        case b"A" | b"S":
            return Warm(*_WARM.unpack(payload)) if kind == b"A" else Status(*_STATUS.unpack(payload))
        case b"X":
            return Rejected(payload[1:].decode(), (False, True)[b"01".index(payload[:1])])
        case b"O":
            return _unpacked(payload)
        case b"N" | b"F":
            names = tuple(payload.decode(errors="surrogatepass").split("\0")) if payload else ()
            return Named(names) if kind == b"N" else Source(names[0], names[1:])
        case b"W":
            return Workers(tuple(WorkerState(*one) for one in json.loads(payload)))
        case b"Y" | b"Z":
            return Reload(*_RELOAD.unpack(payload)) if kind == b"Y" else _reloaded(payload)
        case _ if kind in _BARE:
            return _BARE[kind]
    raise ProtocolError(f"unknown kind of frame: {kind!r}")


def _reloaded(payload: bytes) -> Reloaded:
    number, version = _RELOADED.unpack_from(payload)
    return Reloaded(number, version, payload[_RELOADED.size :].decode(errors="replace"))


def _unpacked(payload: bytes) -> Loaded:
    clients, tls, shared, common, drain_timeout_us, size, count, length = _LOADED.unpack_from(payload)
    begin = _LOADED.size + length
    names, at = payload[_LOADED.size : begin].decode(), begin + size
    beside, snapshot, parts = tuple(names.split("\0")) if names else (), payload[begin:at], []
    for _ in range(count):
        name, port, cpu_permille, size = _PART.unpack_from(payload, at)
        begin = at + _PART.size + name
        parts.append(Part(payload[begin - name : begin].decode(), port, cpu_permille, payload[begin : begin + size]))
        at = begin + size
    return Loaded(clients, tls, drain_timeout_us, snapshot, tuple(parts), payload[at:], beside, shared, common)


class Decoder:
    """Cuts a byte stream into messages, however it was split. O(bytes) over the whole stream."""

    __slots__ = ("_buffer",)

    def __init__(self) -> None:
        self._buffer = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """All messages that are complete now. Raises `ProtocolError`."""
        self._buffer += data
        messages: list[Message] = []
        while (frame := self._frame()) is not None:
            messages.append(decode(*frame))
        return messages

    def _frame(self) -> tuple[bytes, bytes] | None:
        buffer = self._buffer
        if len(buffer) < _FRAME.size:
            return None
        kind, length = _FRAME.unpack_from(buffer)
        if length > LARGEST:
            raise ProtocolError(f"frame of {length} bytes, at most {LARGEST}")
        end = _FRAME.size + length
        if len(buffer) < end:
            return None
        payload = bytes(memoryview(buffer)[_FRAME.size : end])
        del buffer[:end]
        return kind, payload
