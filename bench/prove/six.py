"""Issue 6/9, row by row, in the order of its list "Must show"."""

from bench.prove.patient import batch, cost, faults, mixed
from bench.prove.patient.scene import ENGINES
from bench.prove.steps import Step, passing

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "10,000 jobs while anything is killed: each ends once, no answer is lost, the ledger shows each execution",
        tuple(faults.killed(engine) for engine in ENGINES),
    ),
    ("A killed runner's job runs again within 10 s", (faults.recovery,)),
    (
        "Conversations at 3× quota do not feel the jobs behind them, and the jobs finish",
        (mixed.beside_conversations,),
    ),
    ("A batch file of 50,000 lines by the OpenAI SDK: memory flat, progress, each line answered", (batch.large,)),
    ("Throughput, and what a job costs on each engine", (cost.engines,)),
    (
        "One conformance suite on all three engines; bad input, a broker that is away, webhooks that never answer",
        (
            passing("tests/jobs/engines", name="the engines' suite: tests passed"),
            passing("tests/jobs", name="rows, desk, batches, webhooks: tests passed"),
        ),
    ),
)
