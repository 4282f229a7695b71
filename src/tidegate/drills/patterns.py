"""Regular expressions that nobody has looked at, searched in a process of their own that has a second of CPU time.

Python's expressions may take for ever on the wrong text. A subset that cannot is hard to draw and harder to explain; a
process that the system ends is exact, takes any expression, and costs some hundredths of a second, once a question.
"""

import json
import subprocess
import sys
from typing import Final

_SECONDS: Final = 1.0  # of CPU time
_PATIENCE: Final = 30.0  # of a machine that is too busy to give it that
_PROGRAM: Final = (
    "import json, re, signal, sys\n"
    "said = json.load(sys.stdin)\n"
    "signal.setitimer(signal.ITIMER_PROF, said['seconds'])\n"  # SIGPROF ends the process
    "found = re.compile(said['pattern'], said['flags']).search(said['text'])\n"
    "sys.stdout.write('1' if found else '0')\n"
)
_IGNORE_CASE: Final = 2


def found(pattern: str, text: str, *, fold: bool = False, seconds: float = _SECONDS) -> bool | None:
    """Is it there? None: it took too long, which no pattern of a good drill does."""
    given = {"pattern": pattern, "text": text, "flags": _IGNORE_CASE if fold else 0, "seconds": seconds}
    try:
        done = subprocess.run(
            [sys.executable, "-I", "-S", "-c", _PROGRAM],
            input=json.dumps(given).encode(),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=_PATIENCE,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return None
    return done.stdout == b"1" if done.returncode == 0 else None
