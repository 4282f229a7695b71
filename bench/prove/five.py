"""Issue 5/9, row by row, in the order of its list "Must show"."""

from bench.prove.meaning import rows as meaning
from bench.prove.steps import Step

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (*meaning.ROWS,)
