"""`./dev prove N`: what issue N promised, as a table and as `results/prove-N.json`."""

import argparse
import sys
import tempfile
from dataclasses import asdict
from pathlib import Path

from rich.markup import escape
from rich.table import Table

from bench.figures import console, write
from bench.proofs.steps import Context, Row, carry_out
from bench.proofs.table import PROOFS
from bench.twin import default_data

_VERDICT = {True: "[green]met[/]", False: "[red]not met[/]", None: "[yellow]open[/]"}


def rows_table(number: int, rows: list[Row]) -> Table:
    """A line for each promise and, under it, one for each of its figures."""
    table = Table(title=f"prove {number}", title_justify="left", show_lines=False)
    for heading in ("promise / figure", "measured", "target", "", "note"):
        table.add_column(heading, overflow="fold")
    for row in rows:
        table.add_section()
        commands = escape("\n".join(row.commands))
        table.add_row(f"[bold]{row.what}[/]", "", "", _VERDICT[row.met], f"{row.seconds:.0f} s\n{commands}")
        for figure in row.figures:
            verdict = _VERDICT[figure.met] if figure.target else ""
            table.add_row(f"  {figure.name}", figure.shown, figure.target, verdict, escape(figure.note))
    return table


def main(words: list[str]) -> int:
    """0 when everything was met, 1 when something was not or stayed open, 2 for a bad command line."""
    parser = argparse.ArgumentParser(prog="./dev prove", description=__doc__)
    parser.add_argument("number", type=int, choices=sorted(PROOFS), help="which issue")
    parser.add_argument("--quick", action="store_true", help="shorter runs: a look, not a proof")
    parser.add_argument("--peers", action="store_true", help="other gateways too; installs them by name")
    parser.add_argument("--data", type=Path, default=default_data(), help="folder of the traces")
    parser.add_argument("--rows", default="", help="only these rows, by number from 1: 1,3")
    options = parser.parse_args(words)
    wanted = [int(word) for word in options.rows.split(",")] if options.rows else []
    rows, out = [], console()
    with tempfile.TemporaryDirectory(prefix="prove-") as folder:
        context = Context(Path(folder), options.data, options.quick, options.peers)
        for index, (what, steps) in enumerate(PROOFS[options.number], 1):
            if not wanted or index in wanted:
                out.print(f"{index}. {what} …", highlight=False)
                rows.append(carry_out(what, steps, context))
    out.print(rows_table(options.number, rows))
    figures = [figure for row in rows for figure in row.figures]
    record = [asdict(row) | {"met": row.met} for row in rows]
    out.print(f"written to {write(f'prove-{options.number}', figures, rows=record)}")
    return 0 if all(row.met for row in rows) else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
