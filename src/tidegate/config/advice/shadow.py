"""What is worth saying of shadow traffic: candidates whose price nobody knows."""

from collections.abc import Iterator

from tidegate.config.findings import Advice, Name, Path
from tidegate.config.resolve import serving
from tidegate.config.schema.file import Config
from tidegate.model.snapshot import Snapshot


def advise_shadows(config: Config, snapshot: Snapshot) -> Iterator[Advice]:
    """Paths, messages and remedies. O(strategies × providers)."""
    single = config.model_strategy
    for one in snapshot.strategies:
        if one.shadow is None:
            continue
        path: Path = ("strategies", one.name)
        if single is not None and single.primary_model == one.name and one.name not in config.strategies:
            path = ("model_strategy",)
        model = one.shadow.model
        found = serving(model, snapshot.providers)
        if found and not _priced(model, snapshot):
            message = ("no price of ", Name(model), " is known, so max_cost_per_day cannot bind")
            yield (*path, "shadow", "max_cost_per_day"), message, "give the model a `price`"


def _priced(model: str, snapshot: Snapshot) -> bool:
    """Also by a list for models that nobody names."""
    provider = serving(model, snapshot.providers)[0]
    entry = provider.models.get(model)
    return bool(entry.prices) if entry is not None else bool(provider.price_list)
