"""What the report consists of: parts, and in each what it asks of which bench or proof."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.proofs.table import PROOFS
from bench.wire import SECTIONS


@dataclass(frozen=True, slots=True)
class Ask:
    """One thing that a part wants to show. `bench`: wire, prove-N, judge, jobs or sdk; `key`: which of it."""

    bench: str
    key: str = ""

    @property
    def title(self) -> str:
        """In the words of who measures it."""
        if self.bench == "wire":
            return str(SECTIONS[self.key].__doc__).partition("\n")[0].rstrip(".")
        if self.bench.startswith("prove-"):
            return PROOFS[int(self.bench.removeprefix("prove-"))][int(self.key) - 1][0]
        return _TITLES[self.bench].format(self.key)


_TITLES = {
    "judge": "tidegate judge: {}",
    "jobs": "Jobs a second and CPU a job, on each engine",
    "sdk": "The same arrivals by a bare SDK, and through the gate",
}


@dataclass(frozen=True, slots=True)
class Part:
    """A chapter. `quick`: those of its asks that a run of a quarter of an hour has time for."""

    name: str
    title: str
    about: str
    asks: tuple[Ask, ...]
    quick: tuple[Ask, ...] = ()

    def wanted(self, *, quick: bool) -> tuple[Ask, ...]:
        """What a run of this length measures."""
        return self.quick if quick else self.asks


def _wire(*sections: str) -> tuple[Ask, ...]:
    return tuple(Ask("wire", name) for name in sections)


def _rows(number: int, *rows: int) -> tuple[Ask, ...]:
    return tuple(Ask(f"prove-{number}", str(row)) for row in rows)


def _judged(*gateways: str) -> tuple[Ask, ...]:
    return tuple(Ask("judge", name) for name in gateways)


PARTS: tuple[Part, ...] = (
    Part(
        "wire",
        "What a call costs",
        "CPU time of all processes by requests completed, with nginx in every round as the scale. Microseconds "
        "belong to a machine and its minute; ratios are what to read. Peers run without keys, limits or log.",
        _wire("unary", "stream", "peers"),
        _wire("unary", "stream", "peers"),
    ),
    Part(
        "latency",
        "What the gate adds to an answer",
        "An open loop, latency from the intended start; large bodies beside small calls.",
        _wire("pace", "large"),
        _wire("pace"),
    ),
    Part(
        "callers",
        "Keys, limits and signatures",
        "What it costs that a caller has limits, a budget and a signature, and that there are many of them.",
        _wire("identity", "keys"),
        _wire("identity"),
    ),
    Part(
        "footprint",
        "Memory and start",
        "The gate's own; memory and start of the others stand in the tables of the first part.",
        _wire("memory", "start"),
        _wire("memory", "start"),
    ),
    Part(
        "throughput",
        "Calls a second",
        "The mission's table. Published, and to be reached: 14,200 QPS, P99 65 ms and 0.005 % errors on 8 cores, which "
        "is 1,775 QPS a core. Here provider, gate and load share the machine's cores.",
        _rows(2, 8, 10),
        _rows(2, 8),
    ),
    Part(
        "quota",
        "The provider's quota",
        "Used up, with no 429 that could have been avoided. The provider is the twin, and its ledger is the judge.",
        (*_rows(1, 1, 3), *_rows(2, 1, 2, 3, 9), *_rows(3, 7)),
    ),
    Part(
        "overload",
        "More calls than quota",
        "Bursts and steady overload, beside a bare SDK and, with the same arrivals, beside other gateways.",
        (Ask("sdk"), *_rows(2, 4, 5, 7)),
    ),
    Part("fairness", "Who is served", "One tenant floods, others do not.", _rows(2, 6)),
    Part(
        "faults",
        "When providers fail",
        "Faults, cuts, fallbacks, clients that leave.",
        _rows(3, 1, 2, 3, 4, 5, 6, 9, 13),
    ),
    Part(
        "ledger",
        "The ledger and its bill",
        "What was booked against what the provider bills; budgets at their cap; isolation by namespace.",
        _rows(4, 1, 2, 3, 5),
    ),
    Part(
        "cache",
        "Answers that are known",
        "Hits beside nginx, which asks its upstream each time; equal calls at once; questions that mean the same.",
        (*_wire("cached"), *_rows(5, 1, 2, 3, 4, 5, 6, 7, 8)),
        _wire("cached"),
    ),
    Part(
        "jobs",
        "Patient work",
        "Jobs on the embedded engine, on Celery over Redis and over RabbitMQ; while things are killed.",
        (Ask("jobs"), *_rows(6, 1, 2, 3, 4)),
        (Ask("jobs"),),
    ),
    Part(
        "cluster",
        "Many workers, machines and regions",
        "One quota over all of them, what sharing costs, and what happens when the store goes away.",
        _rows(7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11),
    ),
    Part(
        "foresight",
        "Dry runs, alerts, drills, finding a call",
        "What is foretold against what then happened; alarms under rehearsal; one call among ten million.",
        _rows(8, 1, 2, 3, 4, 5, 6, 7),
    ),
    Part(
        "judge",
        "The referee's scores",
        "`tidegate judge` knows a gateway by its URL only. Rules and formulas: docs/judge.md; settings of the others: "
        "deploy/judge/README.md. Of our own gate each score has to be 95 or more.",
        _judged("Tidegate", "LiteLLM", "Portkey", "a naive gateway"),
        _judged("Tidegate"),
    ),
    Part(
        "tests",
        "Promises that tests hold",
        "Rows of the proofs that run tests and nothing else.",
        (*_rows(1, 2, 7, 8), *_rows(2, 11, 12), *_rows(3, 8, 10, 11, 12), *_rows(4, 4, 7), *_rows(5, 9), *_rows(6, 6)),
    ),
)

# Rows of the proofs that are no ask of a part, and where they are shown.
ELSEWHERE = {
    ("prove-1", "4"): "bench sdk",
    ("prove-1", "5"): "the sections of bench wire",
    ("prove-1", "6"): "that the table exists",
    ("prove-4", "6"): "bench wire, identity",
    ("prove-6", "5"): "bench jobs",
}


def named(words: str) -> Sequence[Part]:
    """Parts by name, comma-separated; all of them for nothing. Raises `KeyError` with the unknown name."""
    if not words:
        return PARTS
    known = {part.name: part for part in PARTS}
    return [known[word] for word in words.split(",")]
