"""What tickets are signed with, written down for the workers of this machine."""

import os
from pathlib import Path

from tidegate.model.jobs import KEY


def write_key(state_dir: Path, secret: bytes) -> None:
    """Whole or not at all, for no other user; whoever of several does so first or last. Raises `OSError`."""
    path = state_dir / KEY
    if path.exists() and path.read_bytes() == secret:
        return
    new = path.with_name(f"{path.name}.{os.getpid()}")
    new.unlink(missing_ok=True)
    file = os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, secret)
        os.fsync(file)
    finally:
        os.close(file)
    new.replace(path)
