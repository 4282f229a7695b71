"""What the gate has learnt of the providers, remembered over a restart: their limits, tokens per kind of text.

One JSON file in the state directory, keyed by base URL digest, credential digest and model; replaced atomically. It is
a memory, not a truth: a file that cannot be read is an empty one.
"""

from pathlib import Path

import msgspec

from tidegate.model.belief import Belief


class Learnt(msgspec.Struct, frozen=True):
    """One lane's. Ratios as `Estimator.dump` gives them."""

    ratios: list[tuple[float, float, int]] = []
    requests: Belief = Belief()
    tokens: Belief = Belief()


_decode = msgspec.json.Decoder(dict[str, Learnt]).decode
_encode = msgspec.json.Encoder().encode


def load(path: Path) -> dict[str, Learnt]:
    """What was saved; empty when there is nothing usable."""
    try:
        return _decode(path.read_bytes())
    except (OSError, msgspec.DecodeError):
        return {}


def save(path: Path, learnt: dict[str, Learnt]) -> None:
    """Replace the file. Raises `OSError`."""
    fresh = path.with_suffix(".tmp")
    fresh.write_bytes(_encode(learnt))
    fresh.replace(path)
