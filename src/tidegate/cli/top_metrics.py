"""The gate's metrics page, read: samples by name, and what became of them between two looks. No I/O."""

from collections.abc import Iterator
from dataclasses import dataclass

Labels = dict[str, str]
Key = tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Reading:
    """All samples of one look; `at` in monotonic seconds."""

    at: float
    samples: dict[str, list[tuple[Labels, float]]]

    def all(self, name: str) -> list[tuple[Labels, float]]:
        """Every sample of a name."""
        return self.samples.get(name, [])

    def one(self, name: str, **labels: str) -> float | None:
        """The value of the first sample with these labels; None when there is none. O(samples of the name)."""
        return next((value for found, value in self.all(name) if labels.items() <= found.items()), None)

    def keyed(self, name: str) -> dict[Key, float]:
        """Every sample of a name by `key_of` its labels."""
        return {key_of(labels): value for labels, value in self.all(name)}


def read(text: str, at: float) -> Reading:
    """The page as Prometheus' own parser has it. Raises `ValueError` when it is none."""
    from prometheus_client.parser import text_string_to_metric_families

    samples: dict[str, list[tuple[Labels, float]]] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            samples.setdefault(sample.name, []).append((sample.labels, sample.value))
    return Reading(at, samples)


def rates(before: Reading, after: Reading, name: str) -> Iterator[tuple[Labels, float]]:
    """How fast each counter of a name grew, a second. One that is smaller than before began anew at 0."""
    seconds = max(after.at - before.at, 1e-9)
    earlier = before.keyed(name)
    for labels, value in after.all(name):
        grown = value - earlier.get(key_of(labels), 0.0)
        yield labels, (grown if grown >= 0 else value) / seconds


def rate(before: Reading, after: Reading, name: str, **labels: str) -> float:
    """The sum of the rates of all counters with these labels."""
    return sum(grown for found, grown in rates(before, after, name) if labels.items() <= found.items())


def key_of(labels: Labels) -> Key:
    """Labels as a key, in whatever order they came."""
    return tuple(sorted(labels.items()))
