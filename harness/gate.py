"""The gate as an operator starts it, on ports that the system chooses and that its own line tells.

No two of them can want the same port, so that many start at once; `node.py` is for gates that keep theirs. A gate is a
child of whoever made it: what it says on its standard output is read once, at its start.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from harness.supervised import Supervised
from tidegate.journal import journal
from tidegate.model.facts import CallRecord, Fact

HERE: Final = (sys.executable, "-m", "tidegate")  # this environment's own program
HUGE: Final = 1_000_000_000_000  # a limit that never binds


class Gate(Supervised):
    """`tidegate serve` with a configuration."""

    def __init__(self, folder: Path, tree: dict[str, Any] | str, *more: str, program: Sequence[str] = HERE) -> None:
        """Returns when it is ready. Raises `NotReady`."""
        self.begin(folder, tree, *more, program=program)
        self.wait_ready()

    def begin(self, folder: Path, tree: dict[str, Any] | str, *more: str, program: Sequence[str] = HERE) -> None:
        """Start it; `wait_ready` waits for it."""
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder)
        self.write(tree)
        self._program, self._more = program, more
        self.log_path.write_bytes(b"")
        self.start()

    def start(self) -> None:
        """Its process, and after it ended another one that goes on with its state; `wait_ready` waits for it."""
        options = ["-c", str(self.config), "--port", "0", "--admin-port", "0", "--state-dir", str(self.state)]
        self.launch([*self._program, "serve", *options, *self._more])

    def write(self, tree: dict[str, Any] | str) -> None:
        """Another configuration, for a reload."""
        self.config.write_text(tree if isinstance(tree, str) else json.dumps(tree), encoding="utf-8")

    @property
    def url(self) -> str:
        """What an application is given as its base URL."""
        return f"http://127.0.0.1:{self.port}/v1"

    @property
    def worker(self) -> int:
        """Its pid."""
        return self.children()["worker"]

    def facts(self) -> list[Fact]:
        """What the journal has."""
        return list(journal.read(self.state / "journal"))

    def records(self, plan: str = "") -> list[CallRecord]:
        """The calls in the journal; of one plan."""
        return [fact for fact in self.facts() if isinstance(fact, CallRecord) and (not plan or fact.plan == plan)]


def provider(url: str, key: str, limits: dict[str, dict[str, int]] | None = None, **more: Any) -> dict[str, Any]:
    """One provider's part of a gate's file, with one scope."""
    scope = {"name": "main", "keys": [key], "limits": limits or {}}
    return {"dialect": "openai", "base_url": url, "scopes": [scope], **more}
