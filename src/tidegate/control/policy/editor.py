"""The process that reads texts (`python -m tidegate.config.edit`): started when somebody edits, let go of soon after.

It is niced, and answers one question at a time. Who would wait behind too many others is told so.
"""

import contextlib
import json
import os
import select
import subprocess
import sys
import threading
import time
from typing import Final

import msgspec

from tidegate.config.edit.asked import Answer, Ask, Failed

MODULE: Final = "tidegate.config.edit"
_SECONDS: Final = 120.0  # for an answer: a text of 1 MB needs 5 s of CPU, at the lowest priority beside others
_IDLE_SECONDS: Final = 30.0
_WAITING: Final = 8
_READ: Final = 1_048_576


class Overrun(Exception):
    """It did not answer: it was busy with others, took too long, or died."""


class Editor:
    """One for the process; for any thread."""

    __slots__ = ("_idle", "_lock", "_module", "_process", "_seconds", "_waiting")

    def __init__(self, module: str = MODULE, seconds: float = _SECONDS) -> None:
        self._module = module
        self._seconds = seconds
        self._lock = threading.Lock()
        self._waiting = threading.BoundedSemaphore(_WAITING)
        self._process: subprocess.Popen[bytes] | None = None
        self._idle: threading.Timer | None = None

    def ask(self, question: Ask) -> Answer:
        """Its answer. Raises `Overrun`."""
        if not self._waiting.acquire(blocking=False):
            raise Overrun("too many texts wait to be read")
        try:
            with self._lock:
                if self._idle is not None:
                    self._idle.cancel()
                line = json.dumps(msgspec.to_builtins(question)).encode() + b"\n"
                answer = self._asked(line) or self._asked(line)  # it may have died while nobody asked
                self._idle = threading.Timer(_IDLE_SECONDS, self.rest)
                self._idle.daemon = True
                self._idle.start()
        finally:
            self._waiting.release()
        if answer is None or isinstance(answer, Failed):
            raise Overrun("the text could not be read")
        return answer

    def rest(self) -> None:
        """Let go of the process, if nobody asks just now."""
        if self._lock.acquire(blocking=False):
            try:
                self._end()
            finally:
                self._lock.release()

    @property
    def pid(self) -> int:
        """Of the process, 0 = there is none."""
        process = self._process
        return 0 if process is None or process.poll() is not None else process.pid

    def _asked(self, line: bytes) -> Answer | None:
        """None: it died. Raises `Overrun` when it takes too long."""
        process = self._running()
        if process.stdin is None or process.stdout is None:
            return None
        until = time.monotonic() + self._seconds
        try:
            process.stdin.write(line)
            process.stdin.flush()
        except OSError:
            self._end()
            return None
        said = bytearray()
        while not said.endswith(b"\n"):
            if not select.select([process.stdout], [], [], max(0.0, until - time.monotonic()))[0]:
                self._end()
                raise Overrun(f"reading the text took longer than {self._seconds:g} s")
            piece = os.read(process.stdout.fileno(), _READ)
            if not piece:
                self._end()
                return None
            said += piece
        found: Answer = msgspec.convert(json.loads(said), Answer)
        return found

    def _running(self) -> subprocess.Popen[bytes]:
        if self._process is None or self._process.poll() is not None:
            self._end()
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", self._module],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                process_group=0,  # the terminal's Ctrl-C is not for it
            )
        return self._process

    def _end(self) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        process.kill()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()
        process.wait()
