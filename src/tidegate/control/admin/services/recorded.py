"""Recorded calls, and who may call beside the file, as `tidegate policy export` writes them."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec
from sqlalchemy import Engine

from tidegate.control.admin.routes.arrivals import plain
from tidegate.control.policy.trial import Write
from tidegate.model.arrivals import ArrivalsFile
from tidegate.store import arrivals, identity

_PAGE: Final = 5_000
_MOST: Final = 5_000_000  # calls of one dry run


def recorded(engine: Engine, from_us: int, to_us: int) -> Write:
    """Writes the calls that ended within a period into a file that only this user reads."""

    def write(path: Path, stopped: Callable[[], bool]) -> int:
        encode = msgspec.json.Encoder().encode
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        count, behind = 0, None
        with os.fdopen(descriptor, "wb") as file, engine.connect() as connection:
            callers = [plain(one) for one in identity.changes(connection)]
            file.write(encode(ArrivalsFile(to_us, callers=len(callers))) + b"\n")
            file.writelines(encode(one) + b"\n" for one in callers)
            while not stopped() and count < _MOST:
                wanted = arrivals.ArrivalsQuery(from_us, to_us, None, behind, _PAGE)
                page = arrivals.arrivals(connection, wanted)
                file.writelines(encode(one) + b"\n" for one in page.arrivals)
                count += len(page.arrivals)
                behind = arrivals.cursor_of(page.next) if page.next else None
                if behind is None:
                    break
        return 0 if stopped() else count

    return write
