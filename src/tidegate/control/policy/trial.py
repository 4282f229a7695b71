"""A dry run of a policy beside the calls: one at a time, niced, in a process that ends with its thread.

Arrivals are written to a file first, page by page; then `python -m tidegate.dryrun` plays them and tells how far it is.
"""

import contextlib
import json
import os
import secrets
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final, Literal, NamedTuple

MODULE: Final = "tidegate.dryrun"
_LARGEST: Final = 64 * 1024 * 1024  # bytes of a report
_KEPT: Final = 5  # ended ones that are remembered
State = Literal["collecting", "playing", "done", "failed", "cancelled"]
Write = Callable[[Path, Callable[[], bool]], int]


class Standing(NamedTuple):
    """How it stands. `percent` is of collecting and playing together."""

    id: str
    state: State
    percent: int
    report: object = None
    why: str = ""


class Busy(Exception):
    """Another one runs; its id."""


class Trials:
    """One for the process; for any thread."""

    __slots__ = ("_cancelled", "_found", "_lock", "_module", "_process", "_state_dir")

    def __init__(self, state_dir: Path, module: str = MODULE) -> None:
        self._state_dir = state_dir
        self._module = module
        self._lock = threading.Lock()
        self._found: dict[str, Standing] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._cancelled: set[str] = set()

    def start(self, file: str, new: bytes, current: bytes, write: Write) -> str:
        """Begin; `write` puts arrivals into a file and tells how many. Returns its id. Raises `Busy`."""
        with self._lock:
            running = next((one.id for one in self._found.values() if one.state in ("collecting", "playing")), None)
            if running is not None:
                raise Busy(running)
            name = secrets.token_hex(8)
            for old in list(self._found)[: max(0, len(self._found) - _KEPT + 1)]:
                del self._found[old]
            self._found[name] = Standing(name, "collecting", 0)
        work = threading.Thread(target=self._run, args=(name, file, new, current, write), name="dryrun", daemon=True)
        work.start()
        return name

    def standing(self, name: str) -> Standing | None:
        """None: there is no such run, or not any more."""
        with self._lock:
            return self._found.get(name)

    def cancel(self, name: str) -> bool:
        """End it; False: there is no such run."""
        with self._lock:
            if name not in self._found:
                return False
            if self._found[name].state in ("collecting", "playing"):
                self._cancelled.add(name)
                self._found[name] = Standing(name, "cancelled", 0)
                if self._process is not None:
                    self._process.kill()
        return True

    def _tell(self, standing: Standing) -> None:
        with self._lock:
            if standing.id in self._found and standing.id not in self._cancelled:
                self._found[standing.id] = standing

    def _run(self, name: str, file: str, new: bytes, current: bytes, write: Write) -> None:
        try:
            with tempfile.TemporaryDirectory(dir=self._state_dir, prefix="dryrun-") as folder:
                texts = Path(folder) / "new", Path(folder) / "current"
                for path, text in zip(texts, (new, current), strict=True):
                    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
                    with os.fdopen(descriptor, "wb") as opened:
                        opened.write(text)
                arrivals = Path(folder) / "arrivals"
                count = write(arrivals, lambda: name in self._cancelled)
                if not count:
                    self._tell(Standing(name, "failed", 0, why="there are no calls in that time: name another one"))
                else:
                    self._tell(Standing(name, "playing", 10))
                    self._play(name, [file, *map(str, (*texts, arrivals)), "--calls", str(count)])
        except Exception as error:  # noqa: BLE001 - whatever it is, whoever waits hears of it
            self._tell(Standing(name, "failed", 0, why=f"it could not be run ({type(error).__name__})"))
        finally:
            with self._lock:
                self._cancelled.discard(name)

    def _play(self, name: str, words: list[str]) -> None:
        with self._lock:
            if name in self._cancelled:
                return
            self._process = process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module, *words],
                stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, process_group=0,
            )  # fmt: skip
        try:
            said = self._hear(name, process)
        finally:
            with self._lock:
                self._process = None
            process.kill()
            process.wait()
        report, why = said
        if report is None:
            self._tell(Standing(name, "failed", 0, why=why or "it ended before its time"))
        else:
            self._tell(Standing(name, "done", 100, report))

    def _hear(self, name: str, process: subprocess.Popen[bytes]) -> tuple[object, str]:
        """Its report, or why there is none. Lines tell how far it is, or the report at the end."""
        output = process.stdout
        if output is None:
            return None, ""
        for line in iter(lambda: output.readline(_LARGEST), b""):
            with contextlib.suppress(ValueError):
                told = json.loads(line)
                if "report" in told:
                    return told["report"], ""
                if "failed" in told:
                    return None, str(told["failed"])
                self._tell(Standing(name, "playing", 10 + int(told["percent"]) * 9 // 10))
        return None, ""
