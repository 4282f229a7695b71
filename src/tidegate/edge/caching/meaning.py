"""Questions that mean the same: what a call asks the process that compares them, and what it is told."""

from tidegate.edge.caching.embedder import ModelEmbedder
from tidegate.edge.caching.flights import Compared, Flight
from tidegate.model.cached import CacheEntry
from tidegate.model.comparison import Comparison, MatchResult
from tidegate.policy.caching.canonical import key
from tidegate.policy.caching.questions import question
from tidegate.policy.caching.reading import read
from tidegate.ports import Answers, Semantics
from tidegate.providers.answers.finish import Finish, finish


class Meaning:
    """One per worker."""

    __slots__ = ("_answers", "_embedder", "_semantics")

    def __init__(self, semantics: Semantics, answers: Answers, embedder: ModelEmbedder | None = None) -> None:
        """Without an `embedder` the process has its own."""
        self._semantics = semantics
        self._answers = answers
        self._embedder = embedder

    async def ask(self, flight: Flight) -> MatchResult | None:
        """An answer that may be served, or None."""
        call, wanted, policy = flight.request.call, flight.wanted, flight.wanted.terms.semantic
        if policy is None or not isinstance(call.body, bytes):
            return None
        asked = question(call.kind, call.body)
        if not asked.text:
            call.cache = "miss; semantic: no text"
            return None
        # All that names an answer but the question itself: none of another kind, variant, model or tenant is near.
        scope = key(asked.context, wanted.scope, wanted.kind, wanted.path, wanted.model)
        vector = b""
        if self._embedder is not None:
            unread = read(asked.text).why
            if unread:  # it would be refused, whatever is near: nobody pays for its embedding
                call.cache = f"miss; semantic: lexical:{unread}"
                return None
            vector = await self._embedder.vector(flight.request, asked.text)
            if not vector:
                call.cache = "miss; semantic: no embedding"
                return None
        comparison = Comparison(scope, asked.text, vector, policy, call.id)
        verdict = await self._semantics.ask(comparison, call.deadline)
        if verdict is not None and verdict.serve:
            return verdict
        call.cache = f"miss; semantic: {_told(verdict)}"
        flight.asked = Compared(scope, asked.text, vector, verdict)
        return None

    def learn(self, flight: Flight, entry: CacheEntry, ended: Finish) -> None:
        """The question has an answer, which is kept; and what was tried out can be judged.

        Another model's answer, a fallback's, is no answer to those who ask this one.
        """
        asked = flight.asked
        if asked is None or entry.labels.model != flight.wanted.model:
            return
        verdict = asked.verdict
        self._semantics.learn(
            asked.scope, asked.text, asked.vector, entry.key, flight.request.call.id, entry.labels, entry.fresh_until_us
        )
        if verdict is not None and verdict.explore:
            other = self._answers.now(verdict.key)
            if other is not None:
                said = finish(flight.wanted.kind, other.body, streamed=other.streamed)
                self._semantics.compared(verdict, ended.text, said.text)

    def gone(self, key: bytes) -> None:
        """There is no answer under this key any more."""
        self._semantics.gone(key)


def _told(verdict: MatchResult | None) -> str:
    """For the record."""
    if verdict is None:
        return "no time"
    if not verdict.key:
        return verdict.why
    return f"{verdict.why} {verdict.similarity_permille / 1_000:.3f} req_{verdict.source:x}"
