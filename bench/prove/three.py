"""Issue 3/9, row by row, in the order of its list "Must show"."""

from bench.prove import graded, standard
from bench.prove.matrix import run
from bench.prove.steps import Step

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("Fault matrix: every cell ends as documented, no stream is lost, no token comes twice", (run.matrix,)),
    (
        "Graded by llmock as a provider's client: no retry storm, no ignored Retry-After, no accepted truncation",
        (graded.graded,),
    ),
    ("LangChain's standard test suites, both packages over both makers", (standard.standard_tests,)),
)
