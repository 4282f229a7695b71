"""What is worth saying of kept bodies: that they are kept as they were said."""

from collections.abc import Iterator

from tidegate.config.findings import Advice, Path
from tidegate.config.schema.bodies import BodiesConfig
from tidegate.config.schema.file import Config


def advise_bodies(config: Config) -> Iterator[Advice]:
    """Paths, messages and remedies; O(namespaces)."""
    places: list[tuple[Path, BodiesConfig | None]] = [(("bodies",), config.bodies)]
    places += [(("namespaces", name, "bodies"), item.bodies) for name, item in config.namespaces.items()]
    for path, item in places:
        if item is not None and not item.redact and (item.sample or item.always):
            message = "nothing is taken out of bodies before they are stored, whatever people and keys they name"
            yield (*path, "redact"), message, "leave it out for all kinds, unless that is meant"
