"""Issue 3/9, row by row, in the order of its list "Must show"."""

from bench.prove import graded, split, standard
from bench.prove.matrix import run
from bench.prove.steps import Step, passing
from bench.prove.streams import bounded, departures, hedged, once, price, seams

ROWS: tuple[tuple[str, tuple[Step, ...]], ...] = (
    ("Fault matrix: every cell ends as documented, no stream is lost, no token comes twice", (run.matrix,)),
    ("After a cut: the rest of the answer, or all of it again, as the policy says", (seams.seams,)),
    (
        "A client that leaves: the provider is stopped in < 50 ms, what was delivered is booked",
        (departures.departures,),
    ),
    ("Idempotency-Key: one execution, one answer for all", (once.once,)),
    ("A client that does not read a stream of 10 MB: memory stays bounded", (bounded.bounded,)),
    ("A hedged first token, within its budget", (hedged.hedged,)),
    ("Input and output limited apart: used up, and no 429 that could be avoided", (split.by_output,)),
    (
        "The official SDKs of both makers, each over both makers' models",
        (passing("tests/e2e/test_openai_sdk.py", "tests/e2e/test_anthropic_sdk.py"),),
    ),
    (
        "Graded by llmock as a provider's client: no retry storm, no ignored Retry-After, no accepted truncation",
        (graded.graded,),
    ),
    ("LangChain's standard test suites, both packages over both makers", (standard.standard_tests,)),
    (
        "Round trips keep what both can say; streams cut at every offset decode the same",
        (passing("tests/providers"),),
    ),
    (
        "Bad input in both dialects; a profile with an unknown field or without a date is named",
        (
            passing(
                "tests/e2e/test_bad_input.py",
                "tests/e2e/test_bad_input_messages.py",
                "tests/e2e/test_bad_input_responses.py",
            ),
            passing("tests/config/test_profiles.py", "tests/config/test_broken.py", name="tests of profiles passed"),
        ),
    ),
    (
        "Cost: a translated chunk, and a call in the same dialect on both sides",
        (price.price, price.in_the_worker, price.same_dialect),
    ),
)
