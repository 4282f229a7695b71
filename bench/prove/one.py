"""Issue 1/9, row by row, in the order of its list "Must show"."""

from bench import sdk, wire
from bench.figures import exactly
from bench.prove.replay import at_speed
from bench.prove.steps import Context, Row, Step, passing
from bench.prove.walkthrough import for_real


def bench_sdk(context: Context, row: Row) -> None:
    """The comparison with a bare SDK."""
    words = ["--data", str(context.data), *(["--calls", "900"] if context.quick else [])]
    row.commands.append(" ".join(["./dev bench sdk", *words[2:]]))
    row.figures += sdk.figures_of(sdk.measure(sdk.arguments(words), context.work))


def bench_wire(context: Context, row: Row) -> None:
    """Every figure of the wire bench."""
    words = ["--quick"] if context.quick else ["--million"]
    words += ["--peers"] if context.peers else []
    row.commands.append(" ".join(["./dev bench wire", *words]))
    report = wire.measure(wire.arguments(words))
    row.figures += report.figures
    row.figures += wire.told_systems(report)


def itself(_context: Context, row: Row) -> None:
    """That this table exists is shown by reading it."""
    row.commands.append("./dev prove 1")
    row.figures.append(exactly("this table and its JSON", 1, 1))


ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "The walk-through as a conversation on the manual clock, and for real against the twin",
        (passing("tests/line/test_walkthrough.py"), for_real),
    ),
    ("The official openai SDK, sync and async", (passing("tests/e2e/test_openai_sdk.py"),)),
    (
        "The trace at 3× the quota: no 429 at the provider, ≥ 97 % charged, everybody told",
        (at_speed(20), at_speed(60, windows=False)),
    ),
    ("The same calls by a bare SDK with its own retries", (bench_sdk,)),
    ("bench wire beside nginx and Envoy", (bench_wire,)),
    ("This list as a table and as JSON", (itself,)),
    (
        "Bad input: the right status, dialect and message; nothing hung",
        (
            passing("tests/e2e/test_bad_input.py", name="through the gate: tests passed"),
            passing(
                "tests/wire/test_vectors.py",
                "tests/wire/test_server_fuzz.py",
                "tests/wire/test_server_gone.py",
                "tests/wire/test_server_times.py",
                name="the wire's table, fuzzing, disconnects and slow clients: tests passed",
            ),
        ),
    ),
    (
        "check on 30 broken configuration files",
        (
            passing("tests/config/test_broken.py", name="broken files: tests passed"),
            passing("tests/config/test_secrets.py", name="secrets never echoed: tests passed"),
        ),
    ),
)
