"""The file by which workers learn which fallbacks are left out: a list of strategy and model, as JSON.

It says how things stand and not what changed, so whoever reads it late or twice knows the same; without it nobody is
left out.
"""

import json
import os
from collections.abc import Iterable
from pathlib import Path

from tidegate.model.drills import OUT


def publish(state_dir: Path, out: Iterable[tuple[str, str]]) -> bool:
    """Whole or not at all; True when it has changed. Raises `OSError`."""
    path = state_dir / OUT
    data = json.dumps(sorted(out), ensure_ascii=False).encode()
    if data == b"[]":
        there = path.exists()
        path.unlink(missing_ok=True)
        return there
    if path.exists() and path.read_bytes() == data:
        return False
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.write_bytes(data)
    new.replace(path)
    return True
