"""The gates in their order."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.cached import Labels
from tidegate.policy.caching.learnt import Learnt
from tidegate.semantic.decision import CHECK_EVERY, NOTHING, Decision, Terms, decide
from tidegate.semantic.known import Question


def threshold(why: str) -> float:
    return {"": 0.9, "more": 0.95}.get(why, 2.0)


TERMS = Terms(error_permille=10, least=0.0, threshold=threshold, shadow=False, compares=True)


def question(text: str = "stored", served: int = 0, learnt: Learnt | None = None) -> Question:
    return Question(1, b"s", text, b"k", 5, Labels("n", "m", "s"), 1, 9, served=served, learnt=learnt)


def differs(one: str, two: str) -> str:
    return "number" if one.startswith("other") else "more" if one.startswith("more") else ""


def decided(*found: tuple[Question, float], terms: Terms = TERMS, luck: float = 0.0, text: str = "asked") -> Decision:
    return decide(found, text, terms, luck, differs)


@pytest.mark.parametrize(
    ("similarity", "terms", "serve", "explore", "why"),
    [
        (0.95, TERMS, True, False, ""),
        (0.9, TERMS, True, False, ""),
        (0.89, TERMS, False, True, "below"),
        (0.79, TERMS, False, False, "below"),  # too far off to teach anything
        (0.95, TERMS._replace(shadow=True), False, True, "shadow"),
        (0.95, TERMS._replace(shadow=True, compares=False), False, False, "shadow"),
        (0.89, TERMS._replace(compares=False), False, False, "below"),
        (0.95, TERMS._replace(least=0.96), False, False, "below"),
        (0.5, TERMS._replace(threshold=lambda _: 2.0), False, True, "explore"),  # an embedder that was never calibrated
    ],
)
def test_an_entry_of_which_nothing_is_known(
    similarity: float, terms: Terms, serve: bool, explore: bool, why: str
) -> None:
    """Its threshold is everybody's; what the operator's least similarity forbids is not even explored."""
    found = decided((question(), similarity), terms=terms)
    assert (found.serve, found.explore, found.why) == (serve, explore, why)


def test_nobody_is_near() -> None:
    """Nothing to compare with."""
    assert decided() == NOTHING


def test_what_must_agree_refuses_before_likeness_serves() -> None:
    """However near it is; the next neighbour that passes decides. None passes: the nearest one's difference is told."""
    other, fits = question("other"), question("fits")
    assert decided((other, 0.99), (fits, 0.95)).question is fits
    refused = decided((other, 0.99), (question("other still"), 0.98))
    assert (refused.question, refused.serve, refused.why) == (other, False, "lexical:number")


@pytest.mark.parametrize(("similarity", "serve"), [(0.94, False), (0.95, True)])
def test_what_may_differ_asks_for_more_likeness(similarity: float, serve: bool) -> None:
    """The gate's word names a threshold of its own."""
    assert decided((question("more words"), similarity)).serve is serve


def test_the_first_neighbour_that_passes_decides_alone() -> None:
    """More neighbours are no further chances to be served something wrong."""
    spoilt = Learnt()
    spoilt.observe(0.99, correct=False)
    found = decided((question("near", learnt=spoilt), 0.97), (question("clean"), 0.96))
    assert (found.serve, found.why) == (False, "explore")


def test_the_same_text_differs_in_nothing() -> None:
    """Though the gate could not read it."""
    assert decided((question("other"), 1.0), text="other").serve


def test_an_entry_found_wrong_is_served_by_what_was_learnt_only() -> None:
    """And again once enough questions were answered right."""
    learnt = Learnt()
    learnt.observe(0.91, correct=False)
    assert not decided((question(learnt=learnt), 0.99), luck=0.999).serve
    for _ in range(60):
        learnt.observe(0.97, correct=True)
    assert decided((question(learnt=learnt), 0.999), luck=0.999).serve


def test_now_and_then_a_question_is_checked_that_would_be_served() -> None:
    """Each tenth of an entry goes to the model and is compared, unless nobody compares."""
    due = question(served=CHECK_EVERY - 1)
    checked = decided((due, 0.95))
    assert (checked.serve, checked.explore, checked.why, checked.would) == (False, True, "explore", True)
    assert decided((due, 0.95), terms=TERMS._replace(compares=False)).serve


@given(
    st.lists(st.tuples(st.sampled_from(["other", "fits"]), st.floats(0, 1)), max_size=5),
    st.floats(0, 1),
    st.floats(0, 1),
    st.booleans(),
    st.floats(0, 0.999),
)
def test_what_is_served_has_passed_every_gate(
    near: list[tuple[str, float]], least: float, bound: float, shadow: bool, luck: float
) -> None:
    """Never in the shadow, never what differs, never below a bound."""
    ordered = sorted(near, key=lambda one: -one[1])
    terms = Terms(10, least, lambda why: 2.0 if why else bound, shadow, compares=True)
    found = decided(*[(question(text), similarity) for text, similarity in ordered], terms=terms, luck=luck)
    if found.serve:
        assert found.question is not None
        assert (found.question.text, shadow, found.explore, found.why) == ("fits", False, False, "")
        assert found.similarity >= max(least, bound)
    else:
        assert found.why
