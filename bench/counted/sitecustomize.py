"""For processes that count what they run: they end as C programs do, who then write their counts."""

import ctypes
import os
from typing import NoReturn


def _end(status: int) -> NoReturn:
    ctypes.CDLL(None).exit(status)
    raise SystemExit(status)


os._exit = _end
