"""Whether the answer to one question is given to another: the gates, in their order. Pure.

Scope and nearness came before (`known.py`). Here: what must agree (`policy/caching/lexical.py`; what may differ asks
for more likeness), then what was learnt of the entry, or is known of all entries (`policy/caching/learnt.py`,
`calibration.py`). The first neighbour that passes the lexical gate decides alone. Were the next one asked when it
refuses, a question would have as many chances of a wrong answer as it has neighbours, and no share that is promised
would hold.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from tidegate.policy.caching.learnt import SERVE
from tidegate.semantic.known import Question

NEIGHBOURS: Final = 5
CHECK_EVERY: Final = 10  # the n-th question that an entry would be served to is answered by the model, and compared
_WORTH: Final = 0.1  # below the threshold by more than this, a comparison teaches nothing


class Terms(NamedTuple):
    """What a question's policy asks for."""

    error_permille: int
    least: float  # similarity, whatever was learnt
    threshold: Callable[[str], float]  # for entries of which nothing is known, by what differs; above 1 = never
    shadow: bool
    compares: bool  # what is explored is compared


class Decision(NamedTuple):
    """What becomes of a question; `question` is the neighbour that decided, or the nearest where none passed."""

    question: Question | None
    similarity: float
    serve: bool
    explore: bool
    why: str
    would: bool  # it was served, or would have been but for the shadow or a check


NOTHING: Final = Decision(None, 0.0, serve=False, explore=False, why="none", would=False)


def decide(
    found: Sequence[tuple[Question, float]],
    text: str,
    terms: Terms,
    luck: float,
    differs: Callable[[str, str], str],
) -> Decision:
    """`found`: neighbours and their similarity, the nearest first; `luck` is uniform in [0, 1)."""
    if not found:
        return NOTHING
    word = ""
    for question, similarity in found:
        if similarity < terms.least:
            break
        differs_in = "" if question.text == text else differs(question.text, text)
        threshold = terms.threshold(differs_in)
        if not differs_in or threshold <= 1.0:
            return _by_rule(question, similarity, threshold, terms, luck)
        word = word or f"lexical:{differs_in}"
    nearest, similarity = found[0]
    return Decision(nearest, similarity, serve=False, explore=False, why=word or "below", would=False)


def _by_rule(question: Question, similarity: float, threshold: float, terms: Terms, luck: float) -> Decision:
    """What was learnt of this entry says."""
    rule = question.learnt.verdict(similarity, threshold, terms.error_permille, luck)
    if rule != SERVE:
        near = similarity >= threshold or threshold > 1.0
        worth = terms.compares and (near or similarity >= threshold - _WORTH)
        return Decision(question, similarity, False, worth, "explore" if near else "below", would=False)
    if terms.shadow:
        return Decision(question, similarity, False, terms.compares, "shadow", would=True)
    if terms.compares and (question.served + 1) % CHECK_EVERY == 0:
        return Decision(question, similarity, False, True, "explore", would=True)
    return Decision(question, similarity, True, False, "", would=True)
