"""Issue 5/9, row by row, in the order of its list "Must show"."""

from bench.prove import cache_keys, clocks, crowds, known, stores, strangers
from bench.prove.meaning import rows as meaning
from bench.prove.steps import Step, passing

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    (
        "An exact hit costs ≤ 1.2 × nginx proxy_pass, p50 ≤ 1 ms; what changes the answer changes its key",
        (known.wire, cache_keys.keys, cache_keys.cost),
    ),
    (
        "1,000 equal calls at once, whole and streamed, are one, whoever leaves",
        (crowds.unary, crowds.streamed, passing("tests/e2e/test_cache.py", name="cache of a real gate: tests passed")),
    ),
    *meaning.ROWS,
    (
        "No tenant gets another's answer, nor can tell by the clock what it has asked",
        (strangers.probed, clocks.told_apart),
    ),
    *stores.ROWS,
    (
        "The RAG assistant: answered, then from the exact cache, then from the semantic one; another quarter is not",
        (passing("tests/e2e/test_rag_assistant.py", name="the example, in both languages: tests passed"),),
    ),
)
