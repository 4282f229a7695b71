"""The quota twin as a process: the judge."""

import http.client
import json
import subprocess
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from harness.gate import HERE
from harness.process import ready_line
from harness.supervised import START
from harness.wait import wait_until

_PATIENCE: Final = 60.0  # seconds for an answer: its events are many


class Twin:
    """`tidegate twin` on a port that the system chooses. Its `tree` is what its YAML file says."""

    def __init__(
        self, folder: Path, tree: dict[str, Any] | None = None, *options: str, program: Sequence[str] = HERE
    ) -> None:
        """Without a tree the options say all. Raises `NotReady`."""
        folder.mkdir(parents=True, exist_ok=True)
        self.tree = tree or {}
        file = ["-c", str(_written(folder, tree))] if tree is not None else []
        command = [*program, "twin", *file, "--port", "0", *options]
        with (folder / "twin.log").open("wb") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=log)
        said = ready_line(self.process, folder / "twin.log", START).split()[2]
        self.port = int(said.split(":")[2].partition("/")[0])
        self.url = f"http://127.0.0.1:{self.port}/openai/v1"  # also of one that listens at every address
        self._connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=_PATIENCE)
        self._turn = threading.Lock()

    @property
    def pid(self) -> int:
        """Its process."""
        return self.process.pid

    def ask(self, path: str, value: Any = None) -> Any:
        """GET, or POST with a value, one of `/twin/…`; while it refuses connections, as soon as it does not."""
        body, answers = None if value is None else json.dumps(value), list[tuple[int, Any]]()
        with self._turn:
            wait_until(lambda: self._asked(path, body, answers), lambda: f"the twin's answer to {path}")
        status, answer = answers[0]
        if status != 200:
            raise RuntimeError(f"the twin answers {status} to {path}: {answer}")
        return answer

    def _asked(self, path: str, body: str | None, answers: list[tuple[int, Any]]) -> bool:
        try:
            self._connection.request("GET" if body is None else "POST", f"/twin/{path}", body)
            reply = self._connection.getresponse()
            answers.append((reply.status, json.loads(reply.read())))
        except (OSError, http.client.HTTPException):
            self._connection.close()
            return False
        return True

    def reset(self) -> None:
        """Nothing fails any more, and the books are empty."""
        self.ask("faults", [])
        self.ask("reset", {})

    def fault(self, *rules: dict[str, Any]) -> None:
        """These rules and no others."""
        self.ask("faults", list(rules))

    def calls(self, model: str = "", *, full: bool = False) -> list[dict[str, Any]]:
        """The calls it remembers, oldest first; of one model."""
        rows: list[dict[str, Any]] = self.ask(f"calls?limit=2000&full={int(full)}")
        return [row for row in rows if not model or row["model"] == model]

    def ledger(self, key: str = "", model: str = "") -> dict[str, Any]:
        """The books: everything, or one key's at one model."""
        report: dict[str, Any] = self.ask("ledger")
        found: dict[str, Any] = report["by_key"].get(key, {}).get(model, {"calls": 0})
        return found if key else report

    def close(self) -> None:
        """End it; it keeps nothing."""
        self._connection.close()
        self.process.kill()
        self.process.wait()
        assert self.process.stdout is not None
        self.process.stdout.close()


def _written(folder: Path, tree: dict[str, Any]) -> Path:
    path = folder / "twin.yaml"
    path.write_text(json.dumps(tree), encoding="utf-8")
    return path
