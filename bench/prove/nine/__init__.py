"""Issue 9/9, row by row, in the order of its list "Must show"."""

from bench.prove.nine import upgrade
from bench.prove.steps import Step

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("An upgrade from an older store and policy file keeps everything", (upgrade.live, upgrade.kept)),
)
