"""Issue 4/9, row by row, in the order of its list "Must show"."""

from bench.prove import budgets, identity, isolation, ledger, security
from bench.prove.steps import Step, passing

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "The ledger equals the provider's bill: aborts, retries, cuts and fallbacks",
        (ledger.cancelled, ledger.drained),
    ),
    (
        "kill -9 of worker, control process and database: each answered call has one row, nothing leaks",
        (ledger.killed, ledger.away, passing("tests/e2e/test_ledger.py", "tests/e2e/test_crash.py")),
    ),
    *budgets.ROWS,
    (
        "Security: every route for every role, other tenants out of reach, signatures, secrets, fuzzing",
        (
            passing("tests/control/admin", name="the admin API: tests passed"),
            passing("tests/policy/access/test_signature.py", "tests/policy/access/test_nonces.py",
                    "tests/edge/access/test_signatures.py",
                    "tests/e2e/test_signing.py", "tests/client", name="signatures: tests passed"),
            passing("tests/policy/access", "tests/edge/access/test_door.py", name="addresses: tests passed"),
            passing("tests/edge/access/test_reception.py", "tests/edge/access/test_rights.py",
                    "tests/e2e/test_managed_keys.py",
                    name="keys and what they may: tests passed"),
            passing("tests/e2e/test_secrets.py", name="canaries: tests passed"),
            security.fuzzed,
        ),
    ),
    (
        "cgroups: two namespaces that saturate the CPU are held at 70/30 within 5 points",
        (
            isolation.shares,
            isolation.neighbour,
            passing("tests/supervisor/test_fleet.py", "tests/supervisor/test_cgroup.py", "tests/e2e/test_isolation.py"),
        ),
    ),
    ("What it costs: a key with every limit ≤ +5 %, a signature ≤ 8 µs", (identity.wire,)),
    (
        "Bad input: the admin API names the field; a journal that is corrupt, full or stalled is told",
        (
            passing("tests/config/test_broken.py", "tests/config/test_access.py", name="broken files: tests passed"),
            passing("tests/journal", name="journals: tests passed"),
        ),
    ),
)  # fmt: skip
