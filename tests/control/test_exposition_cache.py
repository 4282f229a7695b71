"""Layers of the cache on the metrics page."""

from tidegate.control.board import Board
from tidegate.control.metrics.cache import cache_metrics
from tidegate.control.metrics.exposition import render
from tidegate.observe.meters import AnswersMeter, Report, SemanticMeter


def samples(board: Board) -> dict[tuple[str, str], float]:
    return {
        (sample.name.removeprefix("tidegate_cache_"), sample.labels["layer"]): sample.value
        for family in cache_metrics(board.views())
        for sample in family.samples
        if "layer" in sample.labels
    }


def test_each_layer_has_its_counters() -> None:
    """What a layer does not tell is no series."""
    board = Board()
    memory = AnswersMeter("memory", 10, 7, 0, 0, 0, 3, 0, 2, 5, 1_000)
    redis = AnswersMeter("redis", 3, 1, 2, 1, 1, 3, 4, 0, -1, -1, up=False)
    board.take(Report(0, 1, 2, last=True, answers=[memory, redis]))
    found = samples(board)
    assert found["requests_total", "memory"] == 10
    assert found["hits_total", "memory"] == 7
    assert found["evicted_total", "memory"] == 2
    assert (found["entries", "memory"], found["bytes", "memory"], found["layer_up", "memory"]) == (5, 1_000, 1)
    redis_says = {name: value for (name, layer), value in found.items() if layer == "redis"}
    assert redis_says == {
        "requests_total": 3, "hits_total": 1, "errors_total": 2, "timeouts_total": 1, "corrupt_total": 1,
        "writes_total": 3, "dropped_writes_total": 4, "evicted_total": 0, "layer_up": 0,
    }  # fmt: skip


def test_they_are_on_the_page() -> None:
    """Named as the others are, by worker."""
    board = Board()
    board.take(Report(3, 1, 2, last=True, answers=[AnswersMeter("disk", 4, 1)]))
    page = render(board.views(), board.standing, {}).decode()
    assert 'tidegate_cache_requests_total{layer="disk",worker="3"} 4.0' in page
    assert 'tidegate_cache_hits_total{layer="disk",worker="3"} 1.0' in page


def test_what_became_of_questions() -> None:
    """By outcome; a worker that has nothing compared shows nothing."""
    board = Board()
    board.take(Report(0, 1, 2, last=True))
    board.take(Report(1, 1, 2, last=True, semantic=SemanticMeter({"served": 4, "lexical": 2}, 1, 3)))
    page = render(board.views(), board.standing, {}).decode()
    assert 'tidegate_semantic_questions_total{outcome="served",worker="1"} 4.0' in page
    assert 'tidegate_semantic_questions_total{outcome="lexical",worker="1"} 2.0' in page
    assert 'tidegate_semantic_explored_total{worker="1"} 1.0' in page
    assert 'tidegate_semantic_dropped_total{worker="1"} 3.0' in page
    assert 'tidegate_semantic_explored_total{worker="0"}' not in page
