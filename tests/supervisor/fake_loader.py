"""A loader for the supervisor's tests: the file's words are the snapshots and say how to behave."""

import sys
from collections.abc import Iterator
from pathlib import Path

from tidegate.supervisor.messages import Loaded, Named, Part, encode


def main() -> None:
    path, _, version = sys.argv[1:4]
    text = Path(path).read_text(encoding="utf-8")
    if text.startswith("see "):
        other = text.removeprefix("see ").strip()
        sys.stdout.buffer.write(encode(Named((other,))))
        text = Path(other).read_text(encoding="utf-8")
    if "bad" in text:
        sys.stderr.write(f"error: {path}:1:1: something: is wrong; write it right\n")
        sys.exit(2)
    if "warned" in text:
        sys.stderr.write("warning: careful\n")
    if text.startswith("after "):
        Path(text.removeprefix("after ").strip()).read_bytes()  # a FIFO: until the test writes
    drain_us = 300_000 if "hasty" in text else 20_000_000
    words = text.split()
    parts = tuple(isolated(word, version) for word in words if ":" in word)
    main = " ".join(word for word in words if ":" not in word)
    snapshot = f"{main} version={version}".encode()
    beside = tuple(wanted(words))
    shared = "--shared" in sys.argv and "elsewhere" not in words
    loaded = Loaded(
        "clients" in text,
        "tls" in text,
        drain_us,
        snapshot,
        parts,
        beside=beside,
        shared=shared,
        common="common" in words,
    )
    sys.stdout.buffer.write(encode(loaded))


def wanted(words: list[str]) -> Iterator[str]:
    """`meaning` wants the semantic process, `jobs=N` the desk and N runners."""
    if "meaning" in words:
        yield "semantic"
    for word in words:
        if word.startswith("jobs="):
            yield "desk"
            yield from (f"runner-{number}" for number in range(int(word.removeprefix("jobs="))))


def isolated(word: str, version: str) -> Part:
    """`NAME:PORT:PERMILLE:WORD` is a namespace, and WORD says how its worker is to behave."""
    name, port, permille, behaviour = word.split(":")
    return Part(name, int(port), int(permille), f"{name} {behaviour} version={version}".encode())


if __name__ == "__main__":
    main()
