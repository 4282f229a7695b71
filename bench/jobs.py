"""`./dev bench jobs`: how many jobs a second each engine carries, and what one costs."""

import tempfile
from pathlib import Path

from bench.figures import console, figures_table, write
from bench.proofs.jobs.engines import engines
from bench.proofs.steps import Context, Row
from bench.twin import default_data


def main(words: list[str]) -> int:
    """0; `--quick` for a look."""
    row = Row("what a job costs")
    with tempfile.TemporaryDirectory(prefix="bench-jobs-") as folder:
        engines(Context(Path(folder), default_data(), "--quick" in words, peers=False), row)
    out = console()
    out.print(figures_table("bench jobs", row.figures))
    out.print(f"written to {write('jobs', row.figures)}")
    return 0
