"""`python -m bench.proofs.caching.meaning DATA [--quick]`: these rows alone.

As a table, and as `results/prove-meaning.json`. With `--quick` only those of the pairs that are embedded already, which
are a sample.
"""

import argparse
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from bench.figures import console, write
from bench.proofs.caching.meaning.rows import ROWS
from bench.proofs.steps import Context, carry_out
from bench.prove import rows_table


def main(words: Sequence[str]) -> int:
    """0 when everything was met."""
    parser = argparse.ArgumentParser(prog="python -m bench.proofs.caching.meaning")
    parser.add_argument("data", type=Path)
    parser.add_argument("--quick", action="store_true")
    given = parser.parse_args(words)
    with tempfile.TemporaryDirectory() as work:
        context = Context(Path(work), given.data, given.quick, peers=False)
        rows = [carry_out(what, steps, context) for what, steps in ROWS]
    console().print(rows_table(5, rows))
    write("prove-meaning", [figure for row in rows for figure in row.figures], rows=[asdict(row) for row in rows])
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
