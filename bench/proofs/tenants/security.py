"""The admin API called with whatever its OpenAPI document allows, and with much that it does not."""

import os
import sys

from bench.figures import exactly, told
from bench.proofs.steps import Context, Row, outcomes, run


def fuzzed(context: Context, row: Row) -> None:
    """Schemathesis over the OpenAPI document, valid and invalid calls of every operation: no server error."""
    examples = 20 if context.quick else 300
    os.environ["TIDEGATE_FUZZ_EXAMPLES"] = str(examples)
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "1800"]
        done = run(row, [*command, "tests/control/admin/test_fuzz.py"], 7_200)
    finally:
        del os.environ["TIDEGATE_FUZZ_EXAMPLES"]
    counts = outcomes(done.stdout)
    operations = sum(counts.values())
    row.figures.append(told("calls made up for each operation, valid and invalid", f"{examples} + {examples}"))
    row.figures.append(exactly("operations without a server error", counts.get("passed", 0), operations or 1))
