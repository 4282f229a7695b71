"""`python -m bench.training PROGRAM`: what a gate that counts is given to do, before it is compiled by the counts.

What most calls go through, each for some seconds: answers and streams in both dialects, many keys, limits at every
level, signatures, answers from the cache, and more calls than a quota allows. No figure of it is kept.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import uvloop

from bench.bodies import chat
from bench.gate import Shape, client_keys, settings
from bench.openloop import Pacer, request_bytes
from harness.node import Node, Place
from harness.twin import Twin
from tidegate.client.signer import Signer

COUNTED = Path(__file__).with_name("counted")  # its processes write their counts
_PATH = "/v1/chat/completions"
_RATE = 800.0  # a second: half of what a gate that counts can do
_MANY = 1_000_000_000


@dataclass(frozen=True, slots=True)
class Lesson:
    """A gate, and what is asked of it."""

    name: str
    requests: Callable[[], list[bytes]]  # made when the gate is there: it takes no signature that is older
    count: int = 6_000
    rate: float = _RATE
    shape: Shape = field(default=Shape())
    rpm: int = _MANY


def _bearing(body: bytes, clients: int = 1, path: str = _PATH) -> Callable[[], list[bytes]]:
    requests = [request_bytes(body, [f"Authorization: Bearer {key}"], path) for key in client_keys(clients)]
    return lambda: requests


def _signed(body: bytes, count: int) -> list[bytes]:
    """Each has a nonce of its own."""
    key = client_keys(1)[0]
    signer = Signer(key, key)
    heads = [signer.headers("POST", _PATH, body) for _ in range(count)]
    return [request_bytes(body, [f"{name}: {value}" for name, value in head.items()]) for head in heads]


def lessons() -> Iterator[Lesson]:
    """All of them; each is made when its turn comes."""
    body, stream = chat(1000), chat(1000, stream=True)
    yield Lesson("answers", _bearing(body), count=12_000)
    yield Lesson("keys", _bearing(body, 1000), shape=Shape(clients=1000))
    yield Lesson("limits", _bearing(body), shape=Shape(governed=True))
    yield Lesson("signatures", partial(_signed, body, 4_000), 4_000, shape=Shape(governed=True, signed=True))
    yield Lesson("cache", _bearing(body), shape=Shape(cached=True))
    yield Lesson("streams", _bearing(stream), count=800, rate=100)
    yield Lesson("messages", _bearing(body, path="/v1/messages"), count=4_000)
    yield Lesson("streamed messages", _bearing(stream, path="/v1/messages"), count=400, rate=100)
    yield Lesson("scarce", _bearing(body, 20), count=2_000, rate=300, shape=Shape(clients=20), rpm=1_200)


def _file(home: Path, lesson: Lesson, twin: Twin) -> dict[str, Any]:
    file = settings(home, twin.port, lesson.shape)
    provider = file["providers"]["openai"]
    provider["base_url"] = twin.url
    provider["scopes"][0]["limits"]["gpt-4o"]["rpm"] = lesson.rpm
    return file


def _taught(work: Path, program: str, lesson: Lesson, env: Mapping[str, str]) -> int:
    """How many were answered."""
    home = work / lesson.name.replace(" ", "-")
    home.mkdir()
    limits = ("--rpm", str(lesson.rpm), "--tpm", str(_MANY * 1000), "--ttft-ms", "1", "--tpot-ms", "0.1")
    twin = Twin(home / "twin", None, *limits)
    try:
        with Node(home, _file(home, lesson, twin), program=[program], place=Place(env=env)) as node:
            return uvloop.run(_asked(node.port, lesson))
    finally:
        twin.close()


async def _asked(port: int, lesson: Lesson) -> int:
    pacer = Pacer(port, lesson.requests(), lesson.rate, lesson.count)
    return (await pacer.run(64)).answered


def main(words: list[str]) -> int:
    """Each lesson in turn. Fails when one was not understood at all: then its code would pass for unused."""
    parser = argparse.ArgumentParser(prog="bench.training")
    parser.add_argument("program", help="the gate")
    parser.add_argument("--only", help="one lesson")
    parser.add_argument("--count", type=int, default=_MANY, help="calls of a lesson, at most")
    options = parser.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="tidegate-training-") as folder:
        for lesson in lessons():
            if options.only not in {None, lesson.name}:
                continue
            short = replace(lesson, count=min(options.count, lesson.count))
            answered = _taught(Path(folder), options.program, short, {"PYTHONPATH": str(COUNTED)})
            print(json.dumps({"lesson": short.name, "asked": short.count, "answered": answered}), flush=True)
            if answered < short.count // 4:
                print(f"{short.name}: {answered} of {short.count} calls were answered", file=sys.stderr)
                return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
