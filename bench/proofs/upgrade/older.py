"""A gate of an older version as its users left it: that version's own program, real calls, and a death by SIGKILL.

    python -m bench.proofs.upgrade.older FOLDER

installs it, lets it live in FOLDER, and writes what `tests/e2e/test_upgrade.py` begins with: FOLDER/state.tar.xz, the
state directory as the kill left it, and FOLDER/told.json, what the gate itself said of it while it lived.
"""

import contextlib
import io
import json
import lzma
import os
import signal
import subprocess
import sys
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from bench.install import python_package
from harness.plain import Reply, exchange
from harness.ports import accepts, free_port
from harness.process import ROOT, end, running
from harness.upgrade.life import Life
from harness.wait import wait_until

COMMIT = "e3cd3f7"  # the last of 4/9: the first ledger, schema 0002, as it was given to others
BUDGET = "0.0100"  # of the key that spends all of it


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
        wait_until(lambda: sum(row["calls"] for row in life.spent()) == life.calls, "the ledger to have them all")
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
    wait_until(lambda: life.chat(keys["turned"]).status == 200, "the key that was made last")
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
    wait_until(lambda: life.chat(keys["spender"], model="gpt-3.5-turbo", max_tokens=500).status == 429, "its end")


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
