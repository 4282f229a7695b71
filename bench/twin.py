"""The quota twin as a process, and a gate in front of it."""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench import gate
from bench.plain import exchange
from bench.process import accepts, free_port, running

KEY = "sk-bench"
TPM = 150_000
RPM = 3_000


@dataclass(frozen=True, slots=True)
class Twin:
    """A running twin."""

    port: int
    pid: int = 0

    @property
    def url(self) -> str:
        """Its OpenAI base URL."""
        return f"http://127.0.0.1:{self.port}/openai/v1"

    def ask(self, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """GET, or POST with a body, one of `/twin/…`."""
        reply = exchange(self.port, f"/twin/{path}", None if body is None else json.dumps(body).encode())
        if reply.status != 200:
            raise RuntimeError(f"the twin answers {reply.status} to {path}: {reply.body[:200]!r}")
        return json.loads(reply.body)


@contextlib.contextmanager
def twin(work: Path, *options: str) -> Iterator[Twin]:
    """`tidegate twin` with these options, until the end of the block."""
    port = free_port()
    command = [gate.program(), "twin", "--port", str(port), *options]
    with running(command, work / f"twin-{port}.log", lambda: accepts(port)) as child:
        yield Twin(port, child.pid)


@contextlib.contextmanager
def gated(work: Path, settings: Mapping[str, Any]) -> Iterator[str]:
    """The gate with this configuration; yields its base URL."""
    port, home = free_port(), work / f"gate-{free_port()}"
    home.mkdir()
    config = home / "tidegate.yaml"
    config.write_text(json.dumps(settings))
    command = gate.serve_command(config, port, free_port())
    with running(command, home / "log", lambda: gate.healthy(port), seconds=30):
        yield f"http://127.0.0.1:{port}/v1"


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
