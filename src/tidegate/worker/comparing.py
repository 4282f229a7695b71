"""How this worker has questions compared: with the process beside it, and perhaps a model that embeds them."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

from tidegate.cache.semantic import SemanticClient
from tidegate.cache.semantic_frames import NAME
from tidegate.edge.caching.embedder import ModelEmbedder
from tidegate.edge.caching.meaning import Meaning
from tidegate.edge.pipeline import Pipeline
from tidegate.edge.runtime import Runtime
from tidegate.model.caching import SemanticSettings
from tidegate.observe.meters import SemanticMeter
from tidegate.ports import Answers, Clock

_OFFLINE: Final = "offline"


class Comparing:
    """One connection over all reloads that want questions compared."""

    __slots__ = ("_client", "_clock", "_pipeline", "_runtime")

    def __init__(
        self, state: Path, settings: SemanticSettings, runtime: Callable[[], Runtime], pipeline: Pipeline, clock: Clock
    ) -> None:
        """`runtime`: as it is now."""
        self._client = SemanticClient(state / NAME, clock, settings.budget_us)
        self._runtime = runtime
        self._pipeline = pipeline
        self._clock = clock

    def meaning(self, answers: Answers, settings: SemanticSettings) -> Meaning:
        """As the file wants it now."""
        self._client.budget_us = budget_us = settings.budget_us
        if settings.embedder == _OFFLINE:
            return Meaning(self._client, answers)
        embedder = ModelEmbedder(self._runtime, self._pipeline, self._clock, settings.embedder, budget_us)
        return Meaning(self._client, answers, embedder)

    def meter(self) -> SemanticMeter:
        """What became of the questions, for the metrics."""
        return SemanticMeter(*self._client.counters.figures)

    def close(self) -> None:
        """No question is asked any more."""
        self._client.close()
