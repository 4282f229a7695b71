"""What outlives the process."""

import sqlite3
import stat
from pathlib import Path

import pytest

from tests.semantic.conftest import HOUR, WALL, ask, learn, mind_of
from tidegate.cache.semantic_frames import Explain, Feedback
from tidegate.policy.caching.purges import Selector
from tidegate.semantic.known import Known
from tidegate.semantic.mind import Mind
from tidegate.semantic.outcomes import Outcomes
from tidegate.semantic.store import NAME, Store
from tidegate.semantic.unsaved import Batch
from tidegate.testing.embedder import WordBag
from tidegate.testing.kept import Told

QUESTION, NEAR = "a b c d e f g h", "a b c d e f g x"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / NAME


def opened(path: Path, told: Told, most: int = 100, embedder: str = "offline", wall: int = WALL) -> tuple[Mind, Store]:
    store, known, outcomes = Store(path, told), Known(most), Outcomes()
    store.load(known, outcomes, embedder, wall)
    return mind_of(known, outcomes, WordBag()), store


def saved(mind: Mind, store: Store) -> None:
    store.write(mind.unsaved.take())
    store.close()


def test_the_next_process_knows_what_this_one_did(path: Path, told: Told) -> None:
    """Questions, what was learnt of each, and what came of calls; in a file for this user alone."""
    mind, store = opened(path, told)
    mind.learn(learn(QUESTION, 1), WALL)
    store.write(mind.unsaved.take())
    mind.ask(ask(NEAR, 2), WALL)
    mind.feedback(Feedback(0, 2, correct=True))
    saved(mind, store)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    mind, store = opened(path, told)
    (question,) = mind.known
    assert (question.text, question.call_id, question.served, len(question.learnt)) == (QUESTION, 1, 1, 1)
    assert (question.labels.namespace, question.labels.model, question.labels.tags) == ("n", "p/m", ("t",))
    assert (question.key, question.until_us, question.stored_us) == (b"%032d" % 1, WALL + HOUR, WALL)
    explained = mind.explain(Explain(0, 2))
    assert (explained.served, explained.judged, explained.similarity_permille > 800) == (True, "right", True)
    assert mind.ask(ask(NEAR, 3), WALL).serve
    store.close()
    assert told.lines == []


def test_what_has_gone_does_not_come_back(path: Path, told: Told) -> None:
    """It was forgotten, has ended, or is one too many; and its text is not left in the file."""
    mind, store = opened(path, told)
    for number in range(5):
        mind.learn(learn(f"secret {number} {number + 100}", number, until_us=WALL + 10 + number), WALL + number)
    store.write(mind.unsaved.take())
    forgotten = mind.known.under(b"%032d" % 4)
    assert forgotten is not None
    mind._forget(forgotten)
    saved(mind, store)
    mind, store = opened(path, told, most=2, wall=WALL + 10)
    assert [question.call_id for question in mind.known] == [2, 3]
    saved(mind, store)
    mind, store = opened(path, told, most=9, wall=WALL + 10)
    assert [question.call_id for question in mind.known] == [2, 3]
    store.close()
    content = path.read_bytes()
    assert b"secret 3 103" in content
    assert not any(b"secret %d 10%d" % (gone, gone) in content for gone in (0, 1, 4))


def test_what_is_purged_is_in_no_file_any_more(path: Path, told: Told) -> None:
    """While the process runs, too."""
    mind, store = opened(path, told)
    mind.learn(learn("secret question of somebody", 1), WALL)
    store.write(mind.unsaved.take())
    assert any(b"secret question" in file.read_bytes() for file in path.parent.iterdir())
    mind.purge([(Selector("namespace", "n"), WALL)])
    store.write(mind.unsaved.take())
    assert not any(b"secret question" in file.read_bytes() for file in path.parent.iterdir())
    store.close()


def test_vectors_of_another_embedder_are_of_no_use(path: Path, told: Told) -> None:
    """They are dropped, and what came of calls stays."""
    mind, store = opened(path, told)
    mind.learn(learn(QUESTION, 1), WALL)
    mind.ask(ask(NEAR, 2), WALL)
    saved(mind, store)
    mind, store = opened(path, told, embedder="p/embedder")
    assert (len(mind.known), mind.explain(Explain(0, 2)).known) == (0, True)
    store.close()
    mind, store = opened(path, told)
    assert len(mind.known) == 0
    store.close()


@pytest.mark.parametrize(
    "damage", [b"no database at all, but a text of some length", b"SQLite format 3\0" + b"x" * 999]
)
def test_a_damaged_file_is_moved_aside(path: Path, told: Told, damage: bytes) -> None:
    """Said once; a new one takes its place."""
    path.write_bytes(damage)
    mind, store = opened(path, told)
    mind.learn(learn(QUESTION, 1), WALL)
    saved(mind, store)
    mind, store = opened(path, told)
    assert len(mind.known) == 1
    store.close()
    assert [event for _, event, _ in told.lines] == ["the file of questions is damaged: it is moved aside"]
    assert path.with_name(NAME + ".damaged").read_bytes() == damage


def test_a_file_of_another_version_is_moved_aside(path: Path, told: Told) -> None:
    """Nothing is guessed."""
    with sqlite3.connect(path) as connection:
        connection.execute("PRAGMA user_version = 99")
    connection.close()
    mind, store = opened(path, told)
    store.close()
    assert len(mind.known) == 0
    assert path.with_name(NAME + ".damaged").exists()


def test_a_locked_file_is_written_later(path: Path, told: Told) -> None:
    """Said once, and nothing is lost."""
    mind, store = opened(path, told)
    other = sqlite3.connect(path, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    assert store._connection is not None
    store._connection.execute("PRAGMA busy_timeout = 0")
    for number in range(3):
        mind.learn(learn(f"{number} {number + 100}", number), WALL)
        store.write(mind.unsaved.take())
    other.execute("COMMIT")
    other.close()
    saved(mind, store)
    assert len(told.lines) == 1
    mind, store = opened(path, told)
    assert len(mind.known) == 3
    store.close()


def test_without_a_directory_it_goes_on_in_memory(tmp_path: Path, told: Told) -> None:
    """Said, and nothing raised."""
    mind, store = opened(tmp_path / "nowhere" / NAME, told)
    mind.learn(learn(QUESTION, 1), WALL)
    for _ in range(100):
        store.write(mind.unsaved.take())
    store.close()
    assert [event for _, event, _ in told.lines] == ["what was learnt of questions cannot be read"]


def test_a_number_that_is_none_of_ours_does_no_harm(path: Path, told: Told) -> None:
    """SQLite takes 63 bits; the batch is dropped, the next one is written."""
    mind, store = opened(path, told)
    mind.learn(learn(QUESTION, 1 << 63), WALL)
    store.write(mind.unsaved.take())
    mind.learn(learn(NEAR, 2), WALL)
    saved(mind, store)
    mind, store = opened(path, told)
    assert [question.call_id for question in mind.known] == [2]
    store.write(Batch([], [], [], []))
    store.close()
