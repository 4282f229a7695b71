"""A shared state that cannot be relied on is refused when the gate starts, by name and with the remedy."""

import contextlib
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from bench.figures import Figure, exactly
from bench.nodes import Node
from bench.proofs.fleet import MODEL
from bench.proofs.steps import Context, Row
from harness.ports import free_port
from harness.servers.cluster import Slots
from harness.servers.redis import REDIS, Server
from harness.servers.sentinel import Sentinels

_LONGEST_S: Final = 40.0
_WRONG: Final = "wrong-password"

Urls = dict[str, str]


def refused(context: Context, row: Row) -> None:
    """Each case is one `tidegate serve`: how it ends, and what it says."""
    row.commands.append("tidegate serve -c (cluster: …) with each of them")
    with _servers() as urls:
        for number, (name, url, word) in enumerate(_cases(urls)):
            code, said = _served(_node(context.work / f"refused-{number}", {"url": url}))
            row.figures.append(_figure(name, code, said, word))
        row.figures += _two_on_one_prefix(context.work, urls["plain"], urls["other"])


def _cases(urls: Urls) -> list[tuple[str, str, str]]:
    """Name, URL, and a word of the remedy. In the order of the issue's list."""
    plain = urls["plain"]
    return [
        ("a scheme that is none", plain.replace("redis://", "http://"), "redis://"),
        ("nobody listens there", f"redis://127.0.0.1:{free_port()}/0", ""),
        ("no password where one is needed", urls["guarded"], "password"),
        ("a wrong password", urls["guarded"].replace("redis://", f"redis://:{_WRONG}@"), "password"),
        ("an eviction policy that loses keys", urls["evicting"], "noeviction"),
        ("redis+cluster:// at a server that is no cluster", plain.replace("redis://", "redis+cluster://"), "redis://"),
        ("redis:// at a node of a cluster", urls["slot"], "redis+cluster://"),
        ("redis+sentinel:// at a server that is no sentinel", f"{_sentinel_of(plain)}", ""),
        ("a name that the sentinels do not know", urls["unknown"], ""),
        ("a server that hides its version", urls["hidden"], "7.0"),
        ("a replica, which takes no writes", urls["replica"], ""),
    ]


def _sentinel_of(url: str) -> str:
    return url.replace("redis://", "redis+sentinel://").replace("/0", "/quota/0")


@contextlib.contextmanager
def _servers() -> Iterator[Urls]:
    with contextlib.ExitStack() as stack:

        def server(*options: str) -> str:
            found = Server(REDIS, *options)
            stack.callback(found.close)
            return found.url

        urls = {
            "plain": server(),
            "other": server(),
            "guarded": server("--requirepass", "of-the-cluster"),
            "evicting": server("--maxmemory", "100mb", "--maxmemory-policy", "allkeys-lru"),
            "hidden": server("--rename-command", "INFO", ""),
        }
        sentinels = stack.enter_context(Sentinels())
        urls["replica"] = sentinels.replica.url
        urls["unknown"] = sentinels.url.replace("/quota/", "/others/")
        urls["slot"] = stack.enter_context(Slots()).nodes[0].url
        yield urls


def _node(home: Path, cluster: dict[str, Any], name: str = "") -> Node:
    scope = {"name": "main", "keys": ["sk-refused"], "limits": {MODEL: {"rpm": 1_000, "tpm": 1_000_000}}}
    provider = {"dialect": "openai", "base_url": "http://127.0.0.1:9/v1", "scopes": [scope]}
    return Node(home, {"providers": {"openai": provider}, "cluster": cluster}, checked=False, name=name)


def _served(node: Node) -> tuple[int, str]:
    """How it ended, and the last that it said; -1 where it serves."""
    try:
        done = subprocess.run(node.command(), capture_output=True, text=True, timeout=_LONGEST_S, check=False)
    except subprocess.TimeoutExpired as late:
        return -1, (late.stderr or b"").decode(errors="replace")[-300:]
    return done.returncode, done.stderr.strip()[-400:]


def _figure(name: str, code: int, said: str, word: str) -> Figure:
    last = said.rpartition("\n")[2]
    ok = code > 0 and word in said and _WRONG not in said
    return exactly(f"{name}: refused, with the remedy", int(ok), 1, f"exit {code}: {last[-300:]}")


def _two_on_one_prefix(work: Path, ours: str, theirs: str) -> Iterator[Figure]:
    """A node of another cluster is pointed at ours; then one that calls itself as ours does."""
    first = _node(work / "same-1", {"url": ours, "prefix": "same"})
    second = _node(work / "same-2", {"url": theirs, "prefix": "same"})
    for node in (first, second):
        node.start()
    second.stop()
    try:
        second.write(cluster={"url": ours, "prefix": "same"})
        yield _figure("two clusters on one prefix", *_served(second), "prefix")
        third = _node(work / "same-3", {"url": ours, "prefix": "same"}, first.name)
        yield _figure("two gates that are the same node", *_served(third), "name")
    finally:
        first.stop()
