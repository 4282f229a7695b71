"""`python -m bench.report.look`: our gate before the referee, one shape, quickly."""

import tempfile
from pathlib import Path

from bench import gate
from bench.proofs.judge.judged import report_of
from bench.proofs.steps import Context, Row
from bench.twin import default_data


def main() -> None:
    """The judge's report is kept beside the other results."""
    with tempfile.TemporaryDirectory(prefix="look-") as folder:
        context = Context(Path(folder), default_data(), quick=True, peers=False)
        report = report_of(context, Row("judged"), ["--recipe", "tidegate", "--program", gate.program()])
    print(f"{report['gateway']}: {report['mark']} {report['score']}")


if __name__ == "__main__":
    main()
