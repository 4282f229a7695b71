"""Issue 2/9, row by row, in the order of its list "Must show"."""

from bench.prove import caching, cost, fairness, honesty, mission, overload, quota
from bench.prove.steps import Step, passing

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "≥ 99 % of the quota with 0 avoidable 429s, four kinds of window",
        (quota.side_by_side(quota.FULL), quota.side_by_side(quota.SECONDS)),
    ),
    (
        "With 30 % of the quota used by others: ≥ 95 % of what is left",
        (quota.side_by_side(quota.GHOSTS), quota.side_by_side(quota.GHOST_SECONDS)),
    ),
    (
        "The same right after a restart, and when the limits halve or double unannounced",
        (quota.shaken,),
    ),
    ("Bursts: 10 s on, 20 s off, mean 0.9 × the quota", (overload.bursts, overload.bursts_bare, overload.bursts_peers)),
    (
        "Steady 3×: nothing wasted, refusals told at once, every vip answered",
        (overload.steady, overload.steady_bare, overload.steady_peers),
    ),
    ("Fairness: a flood beside steady and rare tenants", (fairness.flood_beside_quiet,)),
    ("Retry-After is true", (honesty.returning,)),
    ("The mission's table: one account, a pool of sixteen, 500 and 5,000 connections", (mission.table,)),
    ("Conversations where cached reads are free", (caching.multi_turn,)),
    ("Scheduling cost with 100,000 waiters, and a call through the wire", (cost.schedulers, cost.wire)),
    (
        "Chaos: no permit leaked, no call lost, none served twice",
        (
            passing("tests/e2e/test_pool_chaos.py", name="pools under faults: tests passed"),
            passing("tests/e2e/test_reload.py", name="reload under load: tests passed"),
        ),
    ),
    (
        "Bad input: check names line and remedy",
        (passing("tests/config/test_broken.py", name="broken files: tests passed"),),
    ),
)
