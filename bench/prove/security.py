"""Who does not belong does not get in: tests that probe it, and the admin API called with what its document allows."""

import os
import sys

from bench.figures import exactly, told
from bench.prove.steps import Context, Row, outcomes, passing, run

_ADMIN = "tests/control/admin"
probes = passing(
    f"{_ADMIN}/test_matrix.py",
    f"{_ADMIN}/test_guard.py",
    f"{_ADMIN}/test_door.py",
    f"{_ADMIN}/test_secrets.py",
    f"{_ADMIN}/test_changes.py",
    "tests/control/test_control_admin.py",
    "tests/e2e/test_managed_keys.py",
    name="security probes passed",
)


def fuzzed(context: Context, row: Row) -> None:
    """Schemathesis over the OpenAPI document, valid and invalid calls of every operation: no server error."""
    examples = 20 if context.quick else 300
    os.environ["TIDEGATE_FUZZ_EXAMPLES"] = str(examples)
    try:
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--timeout", "1800"]
        done = run(row, [*command, f"{_ADMIN}/test_fuzz.py"], 7_200)
    finally:
        del os.environ["TIDEGATE_FUZZ_EXAMPLES"]
    counts = outcomes(done.stdout)
    operations = sum(counts.values())
    row.figures.append(told("calls made up for each operation, valid and invalid", f"{examples} + {examples}"))
    row.figures.append(exactly("operations without a server error", counts.get("passed", 0), operations or 1))
