"""A gate of whichever version over one state directory, as its users and its operator meet it."""

import contextlib
import json
import os
import re
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from harness.plain import Reply, exchange
from harness.ports import free_port
from harness.process import ROOT, running
from harness.wait import wait_until

POLICY: Final = ROOT / "tests" / "e2e" / "data" / "upgrade" / "tidegate.yaml"
_TOKEN: Final = re.compile(r'"token": "(tga_[^"]+)"')
_SAID: Final = {"messages": [{"role": "user", "content": "three short words"}], "max_tokens": 20}
_SECONDS: Final = 30.0


@dataclass(slots=True)
class Life:
    """A gate of either version over one state directory, and its twin's address."""

    program: Path
    folder: Path
    twin: int
    port: int = field(default_factory=free_port)
    admin: int = field(default_factory=free_port)
    token: str = ""
    calls: int = 0  # that a provider was asked for

    @property
    def state(self) -> Path:
        """Its state directory."""
        return self.folder / "state"

    @property
    def log(self) -> Path:
        """What it said, of this start."""
        return self.folder / f"log-{self.port}"

    @contextlib.contextmanager
    def serving(self) -> Iterator["subprocess.Popen[bytes]"]:
        """From its readiness to the end of the block."""
        words = [self.program, "serve", "-c", POLICY, "--port", self.port, "--admin-port", self.admin]
        command = [str(word) for word in [*words, "--state-dir", self.state]]
        environment = {"TWIN_URL": f"http://127.0.0.1:{self.twin}"}
        with running(command, self.log, self._healthy, env=environment, seconds=_SECONDS) as child:
            yield child

    def _healthy(self) -> bool:
        try:
            return exchange(self.port, "/healthz").status == 200
        except OSError:
            return False

    def first_token(self) -> str:
        """The admin token that the first start shows."""
        wait_until(lambda: _TOKEN.search(self.log.read_text(errors="replace")) is not None, "the first admin token")
        found = _TOKEN.search(self.log.read_text(errors="replace"))
        assert found
        return found[1]

    def tidegate(self, *words: str) -> str:
        """One command that manages the gate, as its operator types it; what it prints."""
        environment = {"TIDEGATE_ADMIN_URL": f"http://127.0.0.1:{self.admin}", "TIDEGATE_ADMIN_TOKEN": self.token}
        done = subprocess.run(
            [str(self.program), *words], env=os.environ | environment, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise RuntimeError(f"tidegate {' '.join(words)}: {done.stderr}")
        return done.stdout

    def chat(self, key: str, model: str = "gpt-4o", **more: Any) -> Reply:
        """One call of an application."""
        body = json.dumps({"model": model} | _SAID | more).encode()
        reply = exchange(self.port, "/v1/chat/completions", body, {"authorization": f"Bearer {key}"})
        self.calls += reply.status not in {401, 429}
        return reply

    def ask(self, path: str) -> Any:
        """GET of the admin API."""
        reply = exchange(self.admin, f"/admin/v1{path}", headers={"authorization": f"Bearer {self.token}"})
        if reply.status != 200:
            raise RuntimeError(f"{path}: {reply.status} {reply.body[:300]!r}")
        return json.loads(reply.body)

    def spent(self) -> list[dict[str, Any]]:
        """Everything that was ever spent, by who and what; the lines in the same order each time."""
        words = ("--by", "namespace", "--by", "key", "--by", "model", "--since", "2026-01-01", "--json")
        return sorted(json.loads(self.tidegate("spend", *words))["lines"], key=json.dumps)
