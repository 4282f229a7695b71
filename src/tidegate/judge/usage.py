"""A gateway's own books, where it shows them as counters on a Prometheus page."""

import asyncio
from collections.abc import Sequence
from urllib.error import URLError
from urllib.request import urlopen

from prometheus_client.parser import text_string_to_metric_families

from tidegate.load.client import FetchError

_PATIENCE_S = 10


def summed(page: str, names: Sequence[str]) -> int:
    """Of all samples that these name: `NAME`, or `NAME{label=value,…}`. A counter nobody has counted in yet is 0."""
    wanted = [_selector(name) for name in names]
    every = (sample for family in text_string_to_metric_families(page) for sample in family.samples)
    return round(
        sum(
            sample.value
            for sample in every
            if any(sample.name == name and labels <= sample.labels.items() for name, labels in wanted)
        )
    )


def _selector(text: str) -> tuple[str, set[tuple[str, str]]]:
    name, _, labels = text.partition("{")
    pairs = (pair.partition("=") for pair in labels.rstrip("}").split(",") if pair)
    return name, {(label.strip(), value.strip().strip('"')) for label, _, value in pairs}


async def total(url: str, names: Sequence[str]) -> int:
    """The sum now. Raises `FetchError`."""
    return summed(await asyncio.get_running_loop().run_in_executor(None, _page, url), names)


def _page(url: str) -> str:
    try:
        with urlopen(url, timeout=_PATIENCE_S) as reply:  # noqa: S310 - the operator names the page
            return str(reply.read().decode("utf-8"))
    except (URLError, OSError, ValueError) as error:
        raise FetchError(f"{url} cannot be read: {error}") from error
