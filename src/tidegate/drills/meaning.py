"""How alike two texts are: by a model's embeddings, by the embedder inside the package, else by common words."""

import json
import subprocess
import sys
from collections.abc import Callable
from typing import Final, NamedTuple

from tidegate.drills.embed import NOT_INSTALLED
from tidegate.drills.gate import EMBEDDINGS, Away, Gate, Target
from tidegate.policy.drills.alike import common_words, cosine

_MOST: Final = 2_000  # characters of a text that are compared
_PATIENCE: Final = 60.0
_SECONDS: Final = 30.0


class Likeness(NamedTuple):
    """`value` None: nobody could say, and `how` why; else `how` it was found."""

    value: float | None
    how: str
    tokens: int = 0


def alike(one: str, other: str, gate: Gate, drill: str, model: str) -> Likeness:
    """`model`: whose embeddings are compared, "" = those that can be had here."""
    texts = [one[:_MOST], other[:_MOST]]
    if model:
        return by_model(texts, gate, drill, model)
    vectors = offline(texts)
    if vectors is None:
        return Likeness(common_words(*texts), "by common words")
    value = cosine(*vectors) if vectors else None
    return Likeness(value, "by embeddings" if value is not None else "the embedder failed")


def by_model(texts: list[str], gate: Gate, drill: str, model: str) -> Likeness:
    """Through the gate, as any call for embeddings."""
    try:
        said = gate.send(Target(drill, "", model), EMBEDDINGS, {"model": model, "input": texts}, _SECONDS)
    except Away as error:
        return Likeness(None, f"the embedder {model} could not be asked: {error}")
    try:
        found = json.loads(said.body)
        one, other = ([float(value) for value in item["embedding"]] for item in found["data"])
        tokens = int(found.get("usage", {}).get("prompt_tokens", 0))
    except (ValueError, KeyError, TypeError):
        return Likeness(None, f"the embedder {model} answered {said.status} without embeddings")
    value = cosine(one, other)
    return Likeness(value, f"by {model}" if value is not None else f"the embedder {model} sent no vectors", tokens)


def offline(
    texts: list[str], run: Callable[..., "subprocess.CompletedProcess[bytes]"] = subprocess.run
) -> list[list[float]] | None:
    """None: it is not installed; [] = it failed."""
    command = [sys.executable, "-m", "tidegate.drills.embed"]
    try:
        done = run(
            command, input=json.dumps(texts).encode(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
            timeout=_PATIENCE, check=False,
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired):
        return []
    if done.returncode == NOT_INSTALLED:
        return None
    try:
        found: list[list[float]] = json.loads(done.stdout)
    except ValueError:
        return []
    return found if len(found) == len(texts) else []
