"""What an answer that is known costs, measured by `./dev bench wire`, and what its key is made of."""

import os
import sys

from bench.figures import missing
from bench.prove.cost import run_bench, written
from bench.prove.steps import Context, Row


def wire(context: Context, row: Row) -> None:
    """The section `cached`: hits in memory beside nginx that asks its upstream, and at a pace of their own."""
    command = [sys.executable, "-m", "bench", "wire", "--only", "cached", *(["--quick"] if context.quick else [])]
    done = run_bench(row, command, os.environ)
    figures = written("wire") if done.returncode == 0 else []
    row.figures += figures or [missing("a hit in memory ÷ nginx proxy_pass", "≤ 1.20 ×", done.stderr[-200:])]
