"""What identity costs on the path of a call, measured by `./dev bench wire`."""

import os
import sys

from bench.figures import missing
from bench.prove.cost import run_bench, written
from bench.prove.steps import Context, Row


def wire(context: Context, row: Row) -> None:
    """The section `identity`: a bare key, a key with every limit, a signed request, in turn."""
    command = [sys.executable, "-m", "bench", "wire", "--only", "identity", *(["--quick"] if context.quick else [])]
    done = run_bench(row, command, os.environ)
    if done.returncode == 2:
        row.figures.append(missing("a key with every limit ÷ a bare key, worker", "≤ 1.05 ×", done.stderr[-200:]))
    else:
        row.figures += written("wire")
