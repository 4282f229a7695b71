"""A gate of an older version as its users left it: that version's own program, real calls, and a death by SIGKILL.

    python -m bench.prove.nine.older FOLDER

installs it, lets it live in FOLDER, and writes what `tests/e2e/test_upgrade.py` begins with: FOLDER/state.tar.xz, the
state directory as the kill left it, and FOLDER/told.json, what the gate itself said of it while it lived.
"""

import contextlib
import io
import json
import lzma
import os
import re
import signal
import subprocess
import sys
import tarfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from bench.install import python_package
from bench.plain import Reply, exchange
from bench.process import accepts, end, free_port, running
from bench.upstreams import ROOT

COMMIT = "e3cd3f7"  # the last of 4/9: the first ledger, schema 0002, as it was given to others
POLICY = ROOT / "tests" / "e2e" / "data" / "upgrade" / "tidegate.yaml"
BUDGET = "0.0100"  # of the key that spends all of it
_TOKEN = re.compile(r'"token": "(tga_[^"]+)"')
_SAID = {"messages": [{"role": "user", "content": "three short words"}], "max_tokens": 20}
_SECONDS = 30.0


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
        await_true(lambda: _TOKEN.search(self.log.read_text(errors="replace")) is not None, "the first admin token")
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


def await_true(condition: Any, what: str) -> None:
    """Look until it is so. Raises `TimeoutError`."""
    limit = time.monotonic() + _SECONDS
    while not condition():
        if time.monotonic() > limit:
            raise TimeoutError(f"waited in vain for {what}")
        time.sleep(0.02)


def installed() -> Path:
    """The older version's program, in an environment of its own, with the packages that were pinned for it."""
    home = ROOT / ".bench" / f"tidegate-{COMMIT}"
    source = home / "source"
    if not (source / ".git").exists():
        home.mkdir(parents=True, exist_ok=True)
        subprocess.run(["git", "clone", "--quiet", str(ROOT), str(source)], check=True)
        subprocess.run(["git", "-C", str(source), "checkout", "--quiet", COMMIT], check=True)
    os.environ.setdefault("PIP_CONSTRAINT", str(source / "constraints.txt"))
    try:
        return python_package(f"tidegate-{COMMIT}/venv", str(source)) / "tidegate"
    finally:
        del os.environ["PIP_CONSTRAINT"]


@contextlib.contextmanager
def twin(program: Path, folder: Path) -> Iterator[int]:
    """A provider; yields its port."""
    port = free_port()
    command = [str(program), "twin", "--port", str(port), "--ttft-ms", "1", "--tpot-ms", "0"]
    with running(command, folder / f"twin-{port}.log", lambda: accepts(port)):
        yield port


def lived(life: Life) -> dict[str, Any]:
    """Let it live, be managed and be called, and die. What it said of itself, and what its heirs must know."""
    with life.serving():
        life.token = life.first_token()
        keys = _managed(life)
        _called(life, keys)
        await_true(lambda: sum(row["calls"] for row in life.spent()) == life.calls, "the ledger to have them all")
        told: dict[str, Any] = {
            "keys": keys,
            "token": life.token,
            "spent": life.spent(),
            "budget": BUDGET,
            "twin": life.twin,
        }
        told |= {"audit": life.ask("/audit?limit=200"), "acme": life.ask("/namespaces/acme/keys")}
    with life.serving() as gate:
        told["tail"] = _after_control_hangs(life, gate, keys["web"])
    return told


def _managed(life: Life) -> dict[str, str]:
    life.tidegate("namespaces", "create", "acme", "--tier", "vip", "--budget-per-month", "500")
    life.tidegate("users", "create", "acme", "ann", "--rpm", "600", "--tpm", "200000")
    made = {"web": life.tidegate("keys", "create", "acme", "web", "--user", "ann").strip()}
    made["spender"] = life.tidegate("keys", "create", "acme", "spender", "--budget-per-month", BUDGET).strip()
    made["signed"] = life.tidegate("keys", "create", "acme", "signed", "--signing", "required").strip()
    made["gone"] = life.tidegate("keys", "create", "acme", "gone").strip()
    life.tidegate("keys", "revoke", "acme", "acme-gone")
    made["former"] = life.tidegate("keys", "create", "acme", "turned").strip()
    made["turned"] = life.tidegate("keys", "rotate", "acme", "acme-turned", "--overlap", "0").strip()
    made["viewer"] = life.tidegate("tokens", "create", "watcher", "--role", "viewer").strip()
    return made | {"declared": "sk-declared-web", "legacy": "sk-legacy-client"}


def _called(life: Life, keys: dict[str, str]) -> None:
    """Ordinary calls, streams, another dialect, a primary that refuses, bad requests, and a budget until its end."""
    await_true(lambda: life.chat(keys["turned"]).status == 200, "the key that was made last")
    for number in range(6):
        for key in (keys["web"], keys["turned"], keys["declared"]):
            _must(life.chat(key, stream=bool(number % 2)), 200)
    for _ in range(3):
        _must(life.chat(keys["legacy"], model="claude-3-haiku"), 200)
    _fault(life, [{"fault": "500", "match": {"model": "gpt-4o"}}])
    for _ in range(3):
        _must(life.chat(keys["declared"]), 200)
    _fault(life, [{"fault": "content_filter", "match": {"model": "gpt-3.5-turbo"}}])
    for _ in range(2):
        life.chat(keys["web"], model="gpt-3.5-turbo")
    _fault(life, [])
    await_true(lambda: life.chat(keys["spender"], model="gpt-3.5-turbo", max_tokens=500).status == 429, "its end")


def _after_control_hangs(life: Life, gate: "subprocess.Popen[bytes]", key: str) -> int:
    """Calls that no database has yet when everything is killed; how many."""
    children = Path(f"/proc/{gate.pid}/task/{gate.pid}/children").read_text().split()
    control = [int(pid) for pid in children if b"tidegate.control" in Path(f"/proc/{pid}/cmdline").read_bytes()]
    for pid in control:
        os.kill(pid, signal.SIGSTOP)
    for _ in range(5):
        _must(life.chat(key, model="gpt-3.5-turbo"), 200)
    for pid in [gate.pid, *map(int, children)]:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    end(gate)
    return 5


def _must(reply: Reply, status: int) -> None:
    if reply.status != status:
        raise RuntimeError(f"the older gate answers {reply.status}: {reply.body[:300]!r}")


def _fault(life: Life, rules: list[dict[str, Any]]) -> None:
    _must(exchange(life.twin, "/twin/faults", json.dumps(rules).encode()), 200)


def pack(state: Path) -> bytes:
    """The state directory but for sockets and the lock, which are a running gate's."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path in sorted(state.rglob("*")):
            if (path.is_file() or path.is_dir()) and path.name != "lock":
                archive.add(path, str(path.relative_to(state)), recursive=False, filter=_nobodys)
    return lzma.compress(packed.getvalue(), preset=9)


def _nobodys(entry: tarfile.TarInfo) -> tarfile.TarInfo:
    entry.uid = entry.gid = 0
    entry.uname = entry.gname = ""
    return entry


def main(folder: Path) -> None:
    """Write what the test begins with."""
    folder.mkdir(parents=True, exist_ok=True)
    program = installed()
    with twin(program, folder) as port:
        life = Life(program, folder, port)
        told = lived(life)
    (folder / "state.tar.xz").write_bytes(pack(life.state))
    (folder / "told.json").write_text(json.dumps(told, indent=1, sort_keys=True) + "\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
