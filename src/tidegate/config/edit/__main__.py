"""`python -m tidegate.config.edit`: answers questions about texts (`asked.py`), one a line, until its input ends.

A process of its own, since the checks of a megabyte take seconds, and what it imports takes 60 MB: the control
process starts it when somebody edits, lets go of it soon after, and ends it when an answer takes too long.
"""

import json
import os
import signal
import sys
import time

import msgspec

from tidegate.config.edit.asked import Answer, Ask, Failed
from tidegate.config.edit.work import answer

_NICE = 10
_SECONDS = 150  # for one answer; whoever asks waits for less, and may be gone


def main() -> None:
    """Read, answer, write, until nothing comes any more."""
    os.nice(_NICE)
    for line in sys.stdin.buffer:
        signal.alarm(_SECONDS)
        told: Answer
        try:
            asked = msgspec.convert(json.loads(line), Ask)
            told = answer(asked, os.environ, time.time_ns() // 1_000)  # noqa: TID251 - a process of its own
        except (KeyError, TypeError, ValueError, RecursionError) as error:
            told = Failed(type(error).__name__)
        signal.alarm(0)
        sys.stdout.buffer.write(json.dumps(msgspec.to_builtins(told)).encode() + b"\n")  # numbers of any length
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "__all__")
    main()
