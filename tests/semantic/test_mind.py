"""What the process knows and decides."""

import msgspec
import numpy as np

from tests.semantic.conftest import OTHER_SCOPE, SCOPE, WALL, ask, learn, mind_of
from tidegate.cache.semantic_frames import Ask, Compared, Explain, Feedback, Gone, Told
from tidegate.policy.caching.purges import Selector
from tidegate.semantic.known import Known
from tidegate.semantic.mind import Mind
from tidegate.semantic.outcomes import Outcomes
from tidegate.testing.embedder import DIMENSIONS, WordBag

QUESTION, NEAR, MARKED, FAR = "a b c d e f g h", "a b c d e f g x", "a b c d e f g h !not", "a b c x y z u v"


def put(told: Told) -> tuple[bool, bool, str, int]:
    return told.serve, told.explore, told.why, told.source


def test_a_question_that_means_the_same_gets_the_answer(mind: Mind) -> None:
    """With its key, its call and how alike they are; one that differs, or is of another scope, does not."""
    assert put(mind.ask(ask(QUESTION), WALL)) == (False, False, "none", 0)
    mind.learn(learn(QUESTION, 7), WALL)
    served = mind.ask(ask(NEAR, 2), WALL)
    assert (served.serve, served.key, served.source) == (True, b"%032d" % 7, 7)
    assert 800 < served.similarity_permille < 1_000
    assert put(mind.ask(ask(MARKED, 3), WALL)) == (False, False, "lexical:mark", 7)
    assert put(mind.ask(ask(FAR, 4), WALL)) == (False, False, "below", 7)
    assert put(mind.ask(ask(QUESTION, 5, OTHER_SCOPE), WALL)) == (False, False, "none", 0)
    stats = mind.standing()
    assert (stats.asked, stats.served, stats.refused) == (5, 1, {"none": 2, "lexical": 1, "below": 1})
    assert (stats.entries, stats.scopes, stats.vector_bytes) == (1, 1, 4 * DIMENSIONS)


def test_in_the_shadow_all_is_decided_and_nothing_served(mind: Mind) -> None:
    """The comparison of what the model then says tells how often it would have been wrong."""
    mind.learn(learn(QUESTION), WALL)
    assert put(mind.ask(ask(NEAR, 2, mode="shadow"), WALL)) == (False, True, "shadow", 1)
    mind.compared(Compared(2, "it is so", "it is so", None))
    mind.ask(ask(NEAR, 3, mode="shadow"), WALL)
    mind.compared(Compared(3, "it is so", "certainly not at all", None))
    stats = mind.standing()
    assert (stats.shadowed, stats.served, stats.checked_right, stats.checked_wrong) == (2, 0, 1, 1)


def test_nothing_is_embedded_that_need_not_be(mind: Mind, embedder: WordBag) -> None:
    """Neither in an empty scope, nor the very same text, nor what was embedded just now."""
    assert mind.quick(ask(QUESTION))
    mind.ask(ask(QUESTION), WALL)
    mind.learn(learn(QUESTION), WALL)
    assert embedder.embedded == [QUESTION]
    assert mind.quick(ask(QUESTION))
    assert mind.ask(ask(QUESTION, 2), WALL).similarity_permille == 1_000
    assert not mind.quick(ask(NEAR))
    mind.ask(ask(NEAR, 3), WALL)
    mind.ask(ask(NEAR, 4), WALL)
    assert embedder.embedded == [QUESTION, NEAR]


def test_what_the_lexical_gate_does_not_read_is_not_embedded(mind: Mind, embedder: WordBag) -> None:
    """It would be refused, whatever is near; nor is it remembered."""
    mind.learn(learn(QUESTION), WALL)
    assert mind.quick(ask("x" * 61))
    assert put(mind.ask(ask("x" * 61, 2), WALL)) == (False, False, "lexical:long", 0)
    mind.learn(learn("x" * 61, 2), WALL)
    assert (len(mind.known), embedder.embedded) == (1, [QUESTION])


def test_a_vector_that_comes_along_is_used(mind: Mind, embedder: WordBag) -> None:
    """Of the call's own embedder; what is none is as good as no embedder."""
    vector = np.asarray(embedder.embed("p q r"), "<f4").tobytes()
    mind.learn(msgspec.structs.replace(learn(QUESTION), vector=vector), WALL)
    asked = Ask(2, 2, SCOPE, NEAR, vector, "on", 10, 0, "answers", 100)
    assert mind.ask(asked, WALL).serve
    assert embedder.embedded == ["p q r"]
    assert mind.ask(Ask(3, 3, SCOPE, NEAR, b"abc", "on", 10, 0, "answers", 100), WALL).why == "away"


def test_without_an_embedder_it_is_away() -> None:
    """For who brings no vector; nothing is learnt from such, either."""
    mind = mind_of(Known(9), Outcomes(), None)
    mind.learn(learn(QUESTION), WALL)
    assert mind.standing().dropped == 1
    vector = np.asarray(WordBag().embed(QUESTION), "<f4").tobytes()
    mind.learn(msgspec.structs.replace(learn(QUESTION), vector=vector), WALL)
    assert put(mind.ask(ask(NEAR, 2), WALL)) == (False, False, "away", 0)


def test_what_has_ended_is_not_there(mind: Mind) -> None:
    """At the moment itself; what had ended before it was learnt is not learnt."""
    mind.learn(learn(QUESTION, until_us=WALL + 10), WALL)
    assert mind.ask(ask(NEAR), WALL + 9).serve
    assert not mind.ask(ask(NEAR), WALL + 10).serve
    assert len(mind.known) == 0
    mind.learn(learn(QUESTION, until_us=WALL + 10), WALL + 10)
    assert len(mind.known) == 0
    mind.learn(learn(QUESTION, until_us=WALL + 10), WALL)
    mind.expire(WALL + 10)
    assert len(mind.known) == 0


def test_an_answer_that_is_gone_takes_its_question_along(mind: Mind) -> None:
    """Whoever looked for it says so."""
    mind.learn(learn(QUESTION, 4), WALL)
    mind.gone(Gone(b"nobody's"))
    mind.gone(Gone(b"%032d" % 4))
    assert put(mind.ask(ask(NEAR), WALL)) == (False, False, "none", 0)


def test_a_question_answered_anew_has_the_new_answer_and_what_was_learnt(mind: Mind) -> None:
    """It is one question still."""
    mind.learn(learn(QUESTION, 1), WALL)
    mind.ask(ask(NEAR, 2), WALL)
    mind.feedback(Feedback(0, 2, correct=False))
    mind.learn(learn(QUESTION, 9), WALL + 5)
    explained = mind.explain(Explain(0, 2))
    assert (len(mind.known), explained.wrong, explained.observations) == (1, True, 1)
    assert mind.known.under(b"%032d" % 9) is not None
    assert mind.known.under(b"%032d" % 1) is None


def test_a_purge_is_a_moment(mind: Mind) -> None:
    """What was answered until then is forgotten, also when it is learnt afterwards; what came later stays."""
    mind.learn(learn(QUESTION, 1), WALL)
    mind.learn(learn(FAR, 2, namespace="other"), WALL)
    mind.learn(learn(MARKED, 3, stored_us=WALL + 11), WALL + 11)
    mind.purge([(Selector("namespace", "n"), WALL + 10)])
    assert sorted(question.call_id for question in mind.known) == [2, 3]
    mind.learn(learn(QUESTION, 1, stored_us=WALL + 10), WALL + 99)
    assert len(mind.known) == 2
    mind.purge([(Selector("tag", "t"), WALL + 10), (Selector("source", "3"), WALL + 99)])
    assert len(mind.known) == 0


def test_people_say_what_was_right(mind: Mind) -> None:
    """What was found wrong is not served so any more. Said twice, it counts once; one may think better of it."""
    mind.learn(learn(QUESTION), WALL)
    assert mind.ask(ask(NEAR, 2), WALL).serve
    assert mind.feedback(Feedback(0, 2, correct=False))
    assert mind.feedback(Feedback(0, 2, correct=False))
    assert not mind.feedback(Feedback(0, 99, correct=False))
    assert put(mind.ask(ask(NEAR, 3), WALL)) == (False, True, "explore", 1)
    explained = mind.explain(Explain(5, 2))
    assert (explained.id, explained.known, explained.served, explained.judged) == (5, True, True, "wrong")
    assert (explained.observations, explained.wrong, explained.source) == (1, True, 1)
    assert (explained.namespace, explained.model, explained.strategy) == ("n", "p/m", "s")
    assert mind.feedback(Feedback(0, 2, correct=True))
    assert (mind.standing().right, mind.standing().wrong) == (1, 1)
    assert not mind.explain(Explain(0, 99)).known


def test_where_only_people_judge_nothing_is_explored(mind: Mind) -> None:
    """And what somebody compares all the same is no observation."""
    mind.learn(learn(QUESTION), WALL)
    mind.ask(ask(NEAR, 2), WALL)
    mind.feedback(Feedback(0, 2, correct=False))
    assert put(mind.ask(ask(NEAR, 3, judge="feedback"), WALL)) == (False, False, "explore", 1)
    mind.compared(Compared(3, "x", "x", None))
    mind.compared(Compared(3, "x", "x", True))
    assert mind.standing().right == 0


def test_where_a_model_judges_its_word_counts(mind: Mind) -> None:
    """Without it there is none: the process does not judge in its place."""
    mind.learn(learn(QUESTION), WALL)
    mind.ask(ask(NEAR, 2, judge="p/judge", mode="shadow"), WALL)
    mind.compared(Compared(2, "it is", "it is", None))
    assert mind.standing().right == 0
    mind.compared(Compared(2, "", "", False))
    mind.compared(Compared(2, "", "", True))  # it has been judged
    assert (mind.standing().right, mind.standing().wrong) == (0, 1)


def test_each_tenth_is_checked(mind: Mind) -> None:
    """The answers are compared, and serving goes on."""
    mind.learn(learn(QUESTION), WALL)
    told = [put(mind.ask(ask(NEAR, number), WALL))[2] for number in range(2, 14)]
    assert told == [""] * 9 + ["explore"] + [""] * 2
    mind.compared(Compared(11, "so", "so", None))
    assert (mind.standing().explored, mind.standing().checked_right) == (1, 1)


def test_numbers_are_never_used_again() -> None:
    """A question that has gone may still be named by what came of a call."""
    outcomes = Outcomes()
    mind = mind_of(Known(9), outcomes, WordBag())
    mind.learn(learn(QUESTION), WALL)
    mind.ask(ask(NEAR, 2), WALL)
    fresh = mind_of(Known(9), outcomes, WordBag())
    fresh.learn(learn(FAR, 3), WALL)
    assert [question.number for question in fresh.known] == [2]


def test_the_least_used_make_room() -> None:
    """Memory is bounded by the number of questions, and the store hears who went."""
    mind = mind_of(Known(3), Outcomes(), WordBag())
    for number in range(9):
        mind.learn(learn(f"{number} {number + 100} z", number), WALL)
    assert len(mind.known) == 3
    assert [row[0] for row in mind.unsaved.take().added] == [7, 8, 9]
