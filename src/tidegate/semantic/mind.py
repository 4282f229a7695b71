"""What the semantic process knows and decides. One thread uses it; it waits for nothing but the embedder."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Protocol

from tidegate.cache.semantic_frames import Ask, Compared, Explain, Explained, Feedback, Gone, Learn, Stats, Told
from tidegate.model.cached import CacheEntry, Cost, Labels
from tidegate.policy.caching.purges import Purges, Selector
from tidegate.semantic.decision import NEIGHBOURS, NOTHING, Decision, Terms, decide
from tidegate.semantic.judge import Judge
from tidegate.semantic.known import Known, Question
from tidegate.semantic.outcomes import Outcome, Outcomes
from tidegate.semantic.unsaved import Unsaved
from tidegate.semantic.vectors import Remembering, Vector, from_bytes


class Gates(Protocol):
    """What all entries have in common: the lexical gate, and the thresholds for those of which nothing is known."""

    def differs(self, one: str, two: str) -> str:
        """What must agree and does not, "" = nothing."""

    def unread(self, text: str) -> str:
        """Why this text cannot be compared with any other, "" = it can."""

    def threshold(self, text: str, error_permille: int, why: str = "") -> float:
        """How alike a question must be to this one, given what `differs`; above 1 = never."""


class Mind:
    """`luck` gives numbers that are uniform in [0, 1). Without an embedder calls have to bring their vectors."""

    __slots__ = ("_embedder", "_gates", "_judge", "_last", "_luck", "_purges", "known", "outcomes", "stats", "unsaved")

    def __init__(
        self,
        known: Known,
        outcomes: Outcomes,
        embedder: Remembering | None,
        judge: Judge,
        gates: Gates,
        luck: Callable[[], float],
    ) -> None:
        self.known = known
        self.outcomes = outcomes
        self.unsaved = Unsaved()
        self.stats = Stats(embedder=embedder.name if embedder is not None else "")
        self._embedder = embedder
        self._gates = gates
        self._judge = judge
        self._luck = luck
        self._purges = Purges()
        numbers = (*(question.number for question in known), *(outcome.number for outcome in outcomes))
        self._last = max(numbers, default=0)

    # Questions

    def quick(self, ask: Ask) -> bool:
        """It is answered without the embedder."""
        known = self.known
        if ask.vector or self._embedder is None or known.alone(ask.scope):
            return True
        if known.same(ask.scope, ask.text) is not None or self._embedder.knows(ask.text, ask.scope):
            return True
        return self._gates.unread(ask.text) != ""

    def ask(self, ask: Ask, wall: int) -> Told:
        """The verdict. O(questions of its scope), and an embedding unless it is `quick`."""
        self.stats.asked += 1
        try:
            decision = self._decide(ask, wall)
        except (ValueError, _Away):  # what came along is no embedding, or there is none
            return self.refused(ask, "away", wall)
        self._remember(ask, decision, wall)
        self._count(decision)
        question = decision.question
        if question is None:
            return Told(ask.id, b"", 0, 0, serve=False, explore=False, why=decision.why)
        similarity = min(1_000, int(1_000 * decision.similarity))
        return Told(ask.id, question.key, similarity, question.call_id, decision.serve, decision.explore, decision.why)

    def refused(self, ask: Ask, why: str, wall: int) -> Told:
        """There is no verdict, and this is why."""
        decision = NOTHING._replace(why=why)
        self._remember(ask, decision, wall)
        self._count(decision)
        return Told(ask.id, b"", 0, 0, serve=False, explore=False, why=why)

    def _decide(self, ask: Ask, wall: int) -> Decision:
        found = self._neighbours(ask, wall)
        if not found:
            unread = self._gates.unread(ask.text)
            return NOTHING._replace(why=f"lexical:{unread}") if unread else NOTHING
        terms = Terms(
            ask.error_permille,
            ask.min_similarity_permille / 1_000,
            partial(self._gates.threshold, ask.text, ask.error_permille),
            ask.mode != "on",
            ask.judge != "feedback",
        )
        return decide(found, ask.text, terms, self._luck(), self._gates.differs)

    def _neighbours(self, ask: Ask, wall: int) -> list[tuple[Question, float]]:
        known = self.known
        same = known.same(ask.scope, ask.text)
        if same is not None and same.until_us > wall:
            return [(same, 1.0)]
        if known.alone(ask.scope) or self._gates.unread(ask.text):
            return []
        near = known.nearest(ask.scope, self._vector(ask), NEIGHBOURS)
        found = []
        for number, similarity in near:
            question = known.get(number)
            if question is None:
                continue
            if question.until_us <= wall:
                self._forget(question)
            else:
                found.append((question, similarity))
        return found

    def _vector(self, of: Ask | Learn) -> Vector:
        if of.vector:
            return from_bytes(of.vector)
        if self._embedder is None:
            raise _Away
        return self._embedder.embed(of.text, of.scope)

    def _count(self, decision: Decision) -> None:
        stats = self.stats
        stats.explored += decision.explore
        if decision.serve:
            stats.served += 1
        elif decision.why == "shadow":
            stats.shadowed += 1
        else:
            gate = decision.why.partition(":")[0]
            stats.refused[gate] = stats.refused.get(gate, 0) + 1

    def _remember(self, ask: Ask, decision: Decision, wall: int) -> None:
        question = decision.question
        number, source = (question.number, question.call_id) if question is not None else (0, 0)
        if question is not None and decision.would:
            question.served += 1
            self.known.use(question, wall)
            self.unsaved.touch(question)
        outcome = Outcome(
            ask.call_id, wall, number, source, decision.similarity, decision.serve, decision.would, decision.why,
            ask.judge,
        )  # fmt: skip
        self.outcomes.put(outcome)
        self.unsaved.tell(outcome)

    # What is learnt

    def learn(self, learn: Learn, wall: int) -> None:
        """A question has been answered. A known one keeps what was learnt of it, and gets the new answer.

        One that the lexical gate does not read would never be near another, and is not remembered.
        """
        known = self.known
        if self._gates.unread(learn.text):
            return
        labels = Labels(learn.namespace, learn.model, learn.strategy, learn.tags)
        if learn.until_us <= wall or self._purges.gone(_entry(learn.key, labels, learn.call_id, learn.stored_us)):
            return
        same, other = known.same(learn.scope, learn.text), known.under(learn.key)
        if other is not None and other is not same:
            self._forget(other)
        if same is not None:
            known.rename(same, learn.key)
            same.call_id, same.labels = learn.call_id, labels
            same.stored_us, same.until_us = learn.stored_us, learn.until_us
            known.use(same, wall)
            self.unsaved.touch(same)
            return
        try:
            vector = self._vector(learn)
            self._last += 1
            question = Question(
                self._last,
                learn.scope,
                learn.text,
                learn.key,
                learn.call_id,
                labels,
                learn.stored_us,
                learn.until_us,
            )
            gone = known.add(question, vector)
        except (ValueError, _Away):  # of other dimensions, or nothing to embed it with
            self.stats.dropped += 1
            return
        self.stats.learnt += 1
        self.unsaved.add(question, vector)
        for one in gone:
            self.unsaved.forget(one)

    def gone(self, gone: Gone) -> None:
        """There is no answer under this key any more."""
        question = self.known.under(gone.key)
        if question is not None:
            self._forget(question)

    def purge(self, purges: Iterable[tuple[Selector, int]]) -> None:
        """Each at its moment: what was answered until then is forgotten, also when it is learnt later. O(questions)."""
        for selector, wall in purges:
            self._purges.add(selector, wall)
        for question in tuple(self.known):
            if self._purges.gone(_entry(question.key, question.labels, question.call_id, question.stored_us)):
                self._forget(question)

    def expire(self, wall: int) -> None:
        """Forget whose time is over. O(questions)."""
        for question in tuple(self.known):
            if question.until_us <= wall:
                self._forget(question)

    def _forget(self, question: Question) -> None:
        self.known.remove(question)
        self.unsaved.forget(question)

    # What was right

    def compared(self, compared: Compared) -> None:
        """A call that was explored has been answered: whether both answers say the same is an observation."""
        outcome = self.outcomes.get(compared.call_id)
        if outcome is None or outcome.judged or outcome.judge == "feedback":
            return
        if compared.same is not None:
            self._observe(outcome, correct=compared.same)
        elif outcome.judge == "answers" and self.known.get(outcome.number) is not None:
            same = self._judge.same(compared.answer, compared.other)
            if same is not None:
                self._observe(outcome, correct=same)

    def feedback(self, feedback: Feedback) -> bool:
        """What somebody says; the same said again is no new observation. False: no such call, or nothing was near."""
        outcome = self.outcomes.get(feedback.call_id)
        if outcome is None or not outcome.number:
            return False
        if outcome.judged != _word(feedback.correct):
            self._observe(outcome, correct=feedback.correct)
        return True

    def _observe(self, outcome: Outcome, *, correct: bool) -> None:
        stats = self.stats
        outcome.judged = _word(correct)
        self.unsaved.tell(outcome)
        stats.right += correct
        stats.wrong += not correct
        if outcome.would:
            stats.checked_right += correct
            stats.checked_wrong += not correct
        question = self.known.get(outcome.number)
        if question is not None:
            question.learnt.observe(outcome.similarity, correct)
            self.unsaved.touch(question)

    # How it stands

    def explain(self, explain: Explain) -> Explained:
        """What came of a call."""
        outcome = self.outcomes.get(explain.call_id)
        if outcome is None:
            return Explained(explain.id, known=False)
        question = self.known.get(outcome.number)
        labels = question.labels if question is not None else Labels("", "", "")
        return Explained(
            explain.id, True, outcome.at_us, min(1_000, int(1_000 * outcome.similarity)), outcome.source,
            outcome.served, outcome.why, outcome.judged, labels.namespace, labels.model, labels.strategy,
            len(question.learnt) if question is not None else 0,
            question is not None and not question.learnt.spotless,
        )  # fmt: skip

    def standing(self) -> Stats:
        """The counters as they are, with what is known now."""
        stats = self.stats
        stats.entries, stats.scopes, stats.vector_bytes = len(self.known), self.known.scopes, 4 * self.known.values
        return stats


def _entry(key: bytes, labels: Labels, call_id: int, stored_us: int) -> CacheEntry:
    """As a purge looks at it."""
    return CacheEntry(key, "", "", b"", False, (), labels, Cost(), call_id, stored_us, stored_us, stored_us)


class _Away(Exception):
    """There is nothing to embed a text with."""


def _word(correct: bool) -> str:
    return "right" if correct else "wrong"
