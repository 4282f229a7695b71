"""Namespaces with a worker of their own: held to their part of the CPU, and no neighbour's burden.

All workers are pinned to one CPU and the load to the others, so that what one uses another lacks. CPU time is the
operating system's own count.
"""

import contextlib
import hashlib
import http.client
import os
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import gate
from bench.bodies import chat
from bench.figures import Figure, at_least, at_most, below, median, missing, told
from bench.load import Load, wrk
from bench.proofs.steps import Context, Row
from bench.upstreams import upstreams
from harness import cpu
from harness.ports import free_port
from harness.wait import wait_until
from tidegate.supervisor.cgroup import Groups, NoGroups

GOLD, NIGHT = "gold", "night"
PARTS = {GOLD: 0.7, NIGHT: 0.3}
_POINTS = 5.0
_ROOM = 0.9  # limits are so much of what both had without them: above that, others decide and not the limit
_EVERY_S = 0.02
_LIMITS = {"gpt-4o": {"rpm": 1_000_000_000, "tpm": 1_000_000_000_000}}


@dataclass(frozen=True, slots=True)
class Stand:
    """A gate with two namespaces; ports and pids of who serves each."""

    ports: dict[str, int]
    pids: dict[str, int]

    def spent_us(self) -> dict[str, int]:
        """CPU time of each namespace's worker so far."""
        return {name: cpu.spent_us(pid, whole_tree=False) for name, pid in self.pids.items()}


def key(name: str) -> str:
    """What applications of a namespace present."""
    return f"tg-{name}-{hashlib.sha256(name.encode()).hexdigest()[:24]}"


def shares(context: Context, row: Row) -> None:
    """Both namespaces want all of one CPU: what does each get?"""
    problem = _no_groups(context.work)
    target = f"{100 * PARTS[GOLD]:.0f} / {100 * PARTS[NIGHT]:.0f} ± {_POINTS:.0f} points"
    if problem:
        row.figures.append(missing("shares of the CPU", target, problem))
        return
    free = _rounds(context, {})
    had = median(sum(used.values()) for _, used in free)
    limits = {name: round(part * min(1.0, _ROOM * had / 100), 3) for name, part in PARTS.items()}
    held = _rounds(context, limits)
    note = f"both used {had:.0f} % of a CPU: what else runs on this machine has the rest"
    row.figures.append(told("gold's share without limits", f"{median(share for share, _ in free):.1f} %", note))
    measured = median(share for share, _ in held)
    note = ", ".join(f"{share:.1f}" for share, _ in held)
    row.figures.append(at_least("gold's share of what both used", measured, 100 * PARTS[GOLD] - _POINTS, "%", note))
    row.figures.append(at_most("the same", measured, 100 * PARTS[GOLD] + _POINTS, "%"))
    for name, part in limits.items():
        used = median(of[name] for _, of in held)
        row.figures.append(at_most(f"{name}, of one CPU", used, 100 * part + 1, "%", f"limit {100 * part:.1f} %"))


def neighbour(context: Context, row: Row) -> None:
    """How long do calls of `night` take beside a `gold` that saturates its worker?"""
    seconds = 4.0 if context.quick else 10.0
    limited = {} if _no_groups(context.work) else {GOLD: PARTS[GOLD]}
    quiet = _latency(context, seconds, own_workers=True, limits={}, saturated=False)
    one = _latency(context, seconds, own_workers=False, limits={}, saturated=True)
    own = _latency(context, seconds, own_workers=True, limits={}, saturated=True)
    row.figures += [
        _told("night alone", quiet),
        _told("beside gold in one worker", one),
        _told("in a worker of its own", own),
    ]
    if not limited:
        row.figures.append(missing("in a worker of its own, gold held to its part", "less", "no cgroups here"))
        return
    held = _latency(context, seconds, own_workers=True, limits=limited, saturated=True)
    row.figures.append(_told("in a worker of its own, gold held to 70 %", held))
    row.figures.append(below("p99 with a limit, of that in one worker", 100 * _p99(held) / _p99(one), 100, "%"))
    row.figures.append(below("p50 with a limit, of that in one worker", 100 * median(held) / median(one), 100, "%"))


def _no_groups(work: Path) -> str:
    """Why cgroups cannot be made here, "" when they can."""
    try:
        Groups(str(work / "probe")).close()
    except NoGroups as error:
        return str(error)
    return ""


def _rounds(context: Context, limits: dict[str, float]) -> list[tuple[float, dict[str, float]]]:
    """Of each round gold's share of what both used, and what each used of a CPU, in percent."""
    found, seconds = [], 3.0 if context.quick else 8.0
    with _stand(context, own_workers=True, limits=limits) as stand:
        for _ in range(1 if context.quick else 3):
            with _saturating(context, stand, (GOLD, NIGHT), seconds + 2):
                time.sleep(1)
                before, began = stand.spent_us(), time.perf_counter()
                time.sleep(seconds)
                after, passed = stand.spent_us(), time.perf_counter() - began
            used = {name: (after[name] - before[name]) / passed / 1e4 for name in after}
            found.append((100 * used[GOLD] / sum(used.values()), used))
    return found


def _latency(
    context: Context, seconds: float, *, own_workers: bool, limits: dict[str, float], saturated: bool
) -> list[float]:
    """Milliseconds of each of night's calls, one every 20 ms."""
    with _stand(context, own_workers=own_workers, limits=limits) as stand:
        busy = _saturating(context, stand, (GOLD,), seconds + 2) if saturated else contextlib.nullcontext()
        with busy:
            time.sleep(1)
            return _timed(stand.ports[NIGHT], seconds)


def _timed(port: int, seconds: float) -> list[float]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
    head = {"authorization": f"Bearer {key(NIGHT)}", "content-type": "application/json"}
    body, found, end = chat(1_000), [], time.perf_counter() + seconds
    while (began := time.perf_counter()) < end:
        connection.request("POST", "/v1/chat/completions", body, head)
        reply = connection.getresponse()
        reply.read()
        assert reply.status == 200, reply.status
        found.append((time.perf_counter() - began) * 1_000)
        time.sleep(_EVERY_S)
    connection.close()
    return found


def _p99(values: list[float]) -> float:
    return sorted(values)[int(len(values) * 0.99)]


def _told(name: str, values: list[float]) -> Figure:
    return told(f"calls of night, {name}", f"p50 {median(values):.1f} ms, p99 {_p99(values):.1f} ms")


@contextlib.contextmanager
def _saturating(context: Context, stand: Stand, names: tuple[str, ...], seconds: float) -> Iterator[None]:
    """As much load as each namespace's worker can take, for so long."""
    body = context.work / "body.json"
    body.write_bytes(chat(1_000))
    threads = []
    for name in names:
        keys = context.work / f"key-{name}.txt"
        keys.write_text(key(name) + "\n")
        threads.append(threading.Thread(target=wrk, args=(stand.ports[name], Load(body, keys, 32), seconds)))
    for thread in threads:
        thread.start()
    yield
    for thread in threads:
        thread.join()


@contextlib.contextmanager
def _stand(context: Context, *, own_workers: bool, limits: dict[str, float]) -> Iterator[Stand]:
    """The gate over an upstream that answers at once; its workers on the first CPU, all else on the others."""
    home = Path(context.work) / f"isolation-{time.monotonic_ns()}"
    home.mkdir()
    cpus = sorted(os.sched_getaffinity(0))
    os.sched_setaffinity(0, cpus[1:] or cpus)
    try:
        with upstreams(home) as ups:
            names = (GOLD, NIGHT)
            ports = {name: free_port() for name in names} if own_workers else dict.fromkeys(names, free_port())
            main = free_port() if own_workers else ports[GOLD]
            settings = _settings(ups.static, ports if own_workers else {}, limits)
            with gate.plain(home, settings, main) as node:
                wait_until(lambda: all(map(node.healthy, ports.values())), "a worker for each namespace")
                pids = _pids(node.pid, own_workers=own_workers)
                for pid in pids.values():
                    os.sched_setaffinity(pid, cpus[:1])
                yield Stand(ports, pids)
    finally:
        os.sched_setaffinity(0, cpus)


def _settings(upstream: int, ports: dict[str, int], limits: dict[str, float]) -> dict[str, object]:
    """Each namespace with a scope of its own, and with a worker of its own where it has a port."""
    scopes = [{"name": name, "keys": [f"sk-{name}"], "limits": _LIMITS} for name in (GOLD, NIGHT, "rest")]
    provider = {"dialect": "openai", "base_url": f"http://127.0.0.1:{upstream}/v1", "scopes": scopes}
    spaces: dict[str, dict[str, object]] = {name: {"keys": [key(name)]} for name in (GOLD, NIGHT)}
    for name, port in ports.items():
        spaces[name]["isolation"] = {"port": port} | ({"cpu": limits[name]} if name in limits else {})
    pools = {name: {"scopes": [f"openai/{name}"], "only": [name]} for name in (GOLD, NIGHT)}
    return {"providers": {"openai": provider}, "namespaces": spaces, "pools": pools}


def _pids(root: int, *, own_workers: bool) -> dict[str, int]:
    """Who serves each namespace."""
    found = {}
    for pid in cpu.tree(root):
        words = cpu.command(pid).split()
        if "--worker" in words:
            found[words[words.index("--worker") + 1]] = pid
    return {name: found[str(number) if own_workers else "0"] for number, name in enumerate((GOLD, NIGHT), 1)}
