"""Issue 3/9, row by row, in the order of its list "Must show"."""

from bench.prove import split
from bench.prove.matrix import run
from bench.prove.steps import Step

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("Input and output limited apart: used up, and no 429", (split.by_output,)),
    ("Fault matrix: every cell ends as documented, no stream is lost, no token comes twice", (run.matrix,)),
)
