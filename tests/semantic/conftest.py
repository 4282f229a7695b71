"""A mind that knows nothing yet, and what to ask it."""

import pytest

from tidegate.cache.semantic_frames import Ask, Learn
from tidegate.semantic.judge import Judge
from tidegate.semantic.known import Known
from tidegate.semantic.mind import Mind
from tidegate.semantic.outcomes import Outcomes
from tidegate.semantic.vectors import Remembering
from tidegate.testing.clock import ManualClock
from tidegate.testing.embedder import WordBag
from tidegate.testing.kept import Told

SCOPE, OTHER_SCOPE = b"s" * 32, b"o" * 32
HOUR = 3_600_000_000
WALL = 1_700_000_000_000_000


class Gates:
    """What differs is a word that begins with `!`; a question must be 0.8 alike."""

    def differs(self, one: str, two: str) -> str:
        def marked(text: str) -> set[str]:
            return {word for word in text.split() if word.startswith("!")}

        return "mark" if marked(one) ^ marked(two) else ""

    def unread(self, text: str) -> str:
        return "long" if len(text) > 60 else ""

    def threshold(self, text: str, error_permille: int, why: str = "") -> float:
        return 2.0 if why else 0.8


def mind_of(known: Known, outcomes: Outcomes, embedder: WordBag | None, luck: float = 0.0) -> Mind:
    gates = Gates()
    remembering = Remembering(embedder, ManualClock().now) if embedder is not None else None
    judge = Judge(remembering, gates.differs, lambda text: gates.threshold(text, 10))
    return Mind(known, outcomes, remembering, judge, gates, lambda: luck)


@pytest.fixture
def told() -> Told:
    return Told()


@pytest.fixture
def embedder() -> WordBag:
    return WordBag()


@pytest.fixture
def mind(embedder: WordBag) -> Mind:
    return mind_of(Known(100), Outcomes(), embedder)


def ask(
    text: str, call_id: int = 1, scope: bytes = SCOPE, mode: str = "on", judge: str = "answers", least: int = 0
) -> Ask:
    return Ask(call_id, call_id, scope, text, b"", mode, 10, least, judge, 100_000)


def learn(
    text: str, call_id: int = 1, *, until_us: int = WALL + HOUR, namespace: str = "n", stored_us: int = WALL
) -> Learn:
    key = b"%032d" % call_id
    return Learn(SCOPE, text, b"", key, call_id, namespace, "p/m", "s", ("t",), until_us, stored_us)
