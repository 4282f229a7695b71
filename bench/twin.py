"""The quota twin as a process, and a gate in front of it."""

import contextlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from bench import gate
from harness.ports import free_port
from harness.twin import Twin

KEY = "sk-bench"
TPM = 150_000
RPM = 3_000


@contextlib.contextmanager
def twin(work: Path, *options: str) -> Iterator[Twin]:
    """`tidegate twin` with these options, until the end of the block."""
    started = Twin(work / f"twin-{free_port()}", None, *options, program=[gate.program()])
    try:
        yield started
    finally:
        started.close()


@contextlib.contextmanager
def gated(work: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """The gate with this configuration; yields its base URL."""
    with gate.plain(work / f"gate-{free_port()}", settings) as node:
        yield node.url


def smallest(twin_url: str, speed: float = 1) -> dict[str, Any]:
    """The smallest useful gate file, its quota times `speed`."""
    limits = {"gpt-4o": {"rpm": int(RPM * speed), "tpm": int(TPM * speed)}}
    scope = {"name": "main", "keys": [KEY], "limits": limits}
    return {"providers": {"openai": {"dialect": "openai", "base_url": twin_url, "scopes": [scope]}}}


def quota(speed: float) -> list[str]:
    """The twin's options for the same quota."""
    return ["--rpm", str(int(RPM * speed)), "--tpm", str(int(TPM * speed))]


def default_data() -> Path:
    """Where the trace lies unless told otherwise: beside the repository."""
    return Path(__file__).resolve().parent.parent.parent / "shared" / "data"


def trace_in(data: Path) -> Path:
    """The trace of conversations. Raises `FileNotFoundError` that says what to do."""
    path = data / "azure_llm_2023_conv.csv"
    if not path.exists():
        raise FileNotFoundError(f"{path} is missing; --data DIR names the folder that holds {path.name}")
    return path
