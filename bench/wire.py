"""`python -m bench wire`: what a request costs, all systems beside each other in one run."""

import argparse
import tempfile
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from bench import gate, lasting, paced
from bench.bodies import chat
from bench.figures import Figure, at_most, below, console, exactly, figures_table, median, missing, spread, told, write
from bench.load import Load
from bench.systems import BASELINES, PEERS
from bench.throughput import Entrant, Measured, Plan, compare, pairs
from bench.upstreams import Upstreams, upstreams
from harness.process import NotReady
from tidegate.model.keys import signing_key_of

OURS = "Tidegate"
KEY_COST = 1.05
SIGNATURE_US = 8.0
HIT_COST = 1.2
_LOOK_S = 2  # so short are the rounds of --quick
FLAT = 1.15  # two cores shared with the load: ratios of equal things scatter by a tenth


@dataclass(frozen=True, slots=True)
class Run:
    """One run: where its files lie, its upstreams, and how thorough it is."""

    work: Path
    upstreams: Upstreams
    plan: Plan
    peers: bool
    million: bool

    def load(self, *, stream: bool = False, keys: int = 1) -> Load:
        """A 1 KB chat completion over 64 connections, which show one key as an application's do; with more, in turn."""
        body = self.work / f"body-{stream}.json"
        body.write_bytes(chat(1000, stream=stream))
        listed = self.work / f"keys-{keys}.txt"
        listed.write_text("\n".join(gate.client_keys(keys)) + "\n")
        return Load(body, listed)


@dataclass(slots=True)
class Report:
    """What has been measured so far."""

    tables: list[tuple[str, dict[str, Measured]]]
    figures: list[Figure]
    sections: dict[str, tuple[list[str], list[Figure]]] = field(default_factory=dict)  # titles of tables, figures

    def add(self, title: str, measured: dict[str, Measured]) -> None:
        """Keep a comparison for the tables."""
        self.tables.append((title, measured))


def _entrants(run: Run, *, stream: bool) -> dict[str, Entrant]:
    load = run.load(stream=stream)
    return {name: Entrant(start, load) for name, start in {**BASELINES, OURS: gate.starter()}.items()}


def unary(run: Run, report: Report) -> None:
    """The governed request beside nginx and Envoy."""
    found = compare(_entrants(run, stream=False), run.work / "unary", run.upstreams.static, run.plan)
    report.add("1 KB chat completion", found)
    ours, nginx, envoy = (found[name] for name in (OURS, "nginx", "Envoy"))
    to_nginx, to_envoy, all_to_nginx = (
        ours.ratios(nginx, worker=True),
        ours.ratios(envoy, worker=True),
        ours.ratios(nginx),
    )
    report.figures += [
        _ratio("governed unary, worker ÷ nginx", to_nginx, 3.5, ours),
        below("governed unary, worker ÷ Envoy", median(to_envoy), 1.0, "×", spread(to_envoy))
        if to_envoy
        else missing("governed unary, worker ÷ Envoy", "< 1.0 ×", ours.problem or envoy.problem),
        _ratio("governed unary, all processes ÷ nginx", all_to_nginx, 5, ours),
        exactly("answers that were no 2xx, and broken connections", ours.bad, 0)
        if ours.samples
        else missing("answers that were no 2xx, and broken connections", "= 0", ours.problem),
    ]


def stream(run: Run, report: Report) -> None:
    """A stream of 51 chunks."""
    found = compare(_entrants(run, stream=True), run.work / "stream", run.upstreams.stream, run.plan)
    report.add("stream of 51 chunks", found)
    ours, nginx = found[OURS], found["nginx"]
    report.figures.append(_ratio("51-chunk stream, worker ÷ nginx", ours.ratios(nginx, worker=True), 1.6, ours))


def _ratio(name: str, ratios: list[float], limit: float, ours: Measured) -> Figure:
    if not ratios:
        return missing(name, f"≤ {limit} ×", ours.problem or "nginx is missing")
    return at_most(name, median(ratios), limit, "×", spread(ratios))


def peers(run: Run, report: Report) -> None:
    """Other gateways, with nginx in the same rounds as the scale."""
    plan = Plan(rounds=2, seconds=8, warm_up=5) if run.plan.seconds > _LOOK_S else Plan(2, 5, 3)
    for title, streamed, port in (
        ("peers, 1 KB chat completion", False, run.upstreams.static),
        ("peers, stream of 51 chunks", True, run.upstreams.stream),
    ):
        load = run.load(stream=streamed)
        entrants = {name: Entrant(start, load) for name, start in {"nginx": BASELINES["nginx"], **PEERS}.items()}
        report.add(title, compare(entrants, run.work / f"peers-{streamed}", port, plan))


def flatness(run: Run, report: Report) -> None:
    """The same request with many more keys on either side."""
    for what, few, many in (
        ("client keys 10 → 100,000", gate.Shape(clients=10), gate.Shape(clients=100_000)),
        ("provider keys 10 → 1,000", gate.Shape(provider_keys=10), gate.Shape(provider_keys=1000)),
    ):
        entrants = {
            "few": Entrant(gate.starter(few), run.load(keys=few.clients)),
            "many": Entrant(gate.starter(many), run.load(keys=many.clients)),
        }
        found = compare(entrants, run.work / what.replace(" ", "-"), run.upstreams.static, run.plan)
        report.add(what, found)
        ratios = found["many"].ratios(found["few"])
        why = found["many"].problem or found["few"].problem
        name = f"cost per request, {what}"
        report.figures.append(
            at_most(name, median(ratios), FLAT, "×", spread(ratios)) if ratios else missing(name, f"≤ {FLAT} ×", why)
        )


def identity(run: Run, report: Report) -> None:
    """The same request by a bare client key, by a key with every kind of limit, and signed.

    By one key each: a client has one, and heads with another key would not be alike.
    """
    shapes = {
        "key": gate.Shape(),
        "governed key": gate.Shape(governed=True),
        "signed": gate.Shape(governed=True, signed=True),
    }
    entrants = {name: Entrant(gate.starter(shape), run.load()) for name, shape in shapes.items()}
    listed = run.work / "signing-keys.txt"
    listed.write_text("".join(f"{key} {signing_key_of(key).hex()}\n" for key in gate.client_keys(1)))
    entrants["signed"] = Entrant(entrants["signed"].start, Load(run.load().body, listed, signed=True))
    found = compare(entrants, run.work / "identity", run.upstreams.static, run.plan)
    report.add("who calls: a bare key, one with limits and budgets, one that signs", found)
    bare, governed, signed = found.values()
    name, why = "a key with every limit ÷ a bare key, worker", governed.problem or bare.problem
    target = f"≤ {KEY_COST:.2f} ×"
    ratios = [mine.worker_us / its.worker_us for mine, its in pairs(governed, bare)]
    report.figures.append(
        at_most(name, median(ratios), KEY_COST, "×", spread(ratios)) if not why else missing(name, target, why)
    )
    name, why = "a signature on top, worker", signed.problem or governed.problem
    extra = [mine.worker_us - its.worker_us for mine, its in pairs(signed, governed)]
    target = f"≤ {SIGNATURE_US} µs"
    report.figures.append(
        at_most(name, median(extra), SIGNATURE_US, "µs", spread(extra)) if not why else missing(name, target, why)
    )


def cached(run: Run, report: Report) -> None:
    """The same request again and again: answered from memory, beside nginx, which asks its upstream each time."""
    load = run.load()
    entrants = {
        "nginx": Entrant(BASELINES["nginx"], load),
        OURS: Entrant(gate.starter(gate.Shape(cached=True)), load),
    }
    found = compare(entrants, run.work / "cached", run.upstreams.static, run.plan)
    report.add("1 KB chat completion, known", found)
    ours, nginx = found[OURS], found["nginx"]
    report.figures += [
        _ratio("a hit in memory, worker ÷ nginx proxy_pass", ours.ratios(nginx, worker=True), HIT_COST, ours),
        _ratio("a hit in memory, all processes ÷ nginx proxy_pass", ours.ratios(nginx), HIT_COST, ours),
        *paced.hits(run.work, run.upstreams, run.plan.rounds, run.plan.seconds + 1),
    ]


def pace(run: Run, report: Report) -> None:
    """Added latency, and the journal."""
    report.figures += paced.added_latency(run.work, run.upstreams, run.plan.rounds, run.plan.seconds + 1)


def large(run: Run, report: Report) -> None:
    """1 MB bodies beside small calls."""
    report.figures += paced.large_bodies(run.work, run.upstreams, run.plan.rounds, run.plan.seconds + 1)


def memory(run: Run, report: Report) -> None:
    """Resident memory."""
    report.figures += lasting.memory(run.work, run.upstreams, run.load(), 1_000_000 if run.million else 50_000)


def start(run: Run, report: Report) -> None:
    """Time until ready."""
    report.figures += lasting.start_up(run.work, run.upstreams)


SECTIONS: dict[str, Callable[[Run, Report], None]] = {
    "unary": unary,
    "stream": stream,
    "pace": pace,
    "memory": memory,
    "start": start,
    "large": large,
    "keys": flatness,
    "identity": identity,
    "cached": cached,
    "peers": peers,
}


def measured_table(title: str, systems: dict[str, Measured]) -> Table:
    """CPU per request and its ratio to the first system, closed-loop rate and latency."""
    table = Table(title=title, title_justify="left")
    first = next(iter(systems.values()))
    for heading in (
        "system",
        "version",
        "CPU µs/request",
        f"÷ {first.name}",
        "worker µs",
        "requests/s",
        "p50 ms",
        "MB",
        "ready after s",
        "note",
    ):
        table.add_column(heading, justify="left" if heading in {"system", "version", "note"} else "right")
    for one in systems.values():
        if one.problem:
            table.add_row(one.name, one.version, *["–"] * 7, escape(one.problem))
            continue
        worker, rate = median(s.worker_us for s in one.samples), median(s.wrk.rps for s in one.samples)
        table.add_row(
            one.name,
            one.version,
            f"{one.cpu_us():,.1f}",
            f"{median(one.ratios(first)):.2f}",
            f"{worker:.1f}" if worker else "",
            f"{rate:,.0f}",
            f"{median(s.wrk.p50_us for s in one.samples) / 1000:.1f}",
            f"{one.resident_mb:.0f}",
            f"{one.ready_s:.2f}",
        )
    return table


def told_systems(report: Report) -> list[Figure]:
    """Every system's cost as a line without a target, for tables that have no room for more."""
    return [
        told(
            f"{title}: {one.name} {one.version}",
            "no figure" if one.problem else f"{one.cpu_us():,.1f} µs/request",
            one.problem,
        )
        for title, systems in report.tables
        for one in systems.values()
    ]


def arguments(words: list[str]) -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(prog="./dev bench wire", description=__doc__)
    parser.add_argument("--only", default="", help=f"sections, comma-separated: {', '.join(SECTIONS)}")
    parser.add_argument("--rounds", type=int, default=7, help="rounds of A B C; medians are over these")
    parser.add_argument("--seconds", type=float, default=3, help="of load for each system in each round")
    parser.add_argument("--quick", action="store_true", help="3 rounds of 2 s")
    parser.add_argument("--peers", action="store_true", help="other gateways and proxies too; installs them by name")
    parser.add_argument("--million", action="store_true", help="memory after a million requests (minutes)")
    return parser.parse_args(words)


def measure(options: argparse.Namespace) -> Report:
    """Every section in turn. A section whose system does not start leaves its reason, and the others go on."""
    report = Report([], [])
    wanted = (
        options.only.split(",") if options.only else [name for name in SECTIONS if name != "peers" or options.peers]
    )
    plan = Plan(3, _LOOK_S) if options.quick else Plan(options.rounds, options.seconds)
    with tempfile.TemporaryDirectory(prefix="bench-") as folder, upstreams(Path(folder)) as up:
        run = Run(Path(folder), up, plan, options.peers, options.million)
        for name in wanted:
            tables, figures = len(report.tables), len(report.figures)
            try:
                SECTIONS[name](run, report)
            except (NotReady, RuntimeError, OSError, ImportError) as error:
                report.figures.append(missing(name, "measured", " ".join(str(error).split())[-160:]))
            report.sections[name] = [title for title, _ in report.tables[tables:]], report.figures[figures:]
    return report


def main(words: list[str]) -> int:
    """Measure, print, write `results/wire.json`."""
    options = arguments(words)
    report = measure(options)
    out = console()
    for title, systems in report.tables:
        out.print(measured_table(title, systems))
    if not options.peers:
        out.print("Other gateways are left out; --peers installs and measures them.")
    out.print(figures_table("bench wire", report.figures))
    out.print(f"written to {write('wire', report.figures, tables=dict(report.tables), sections=report.sections)}")
    return 0
