"""A large batch by the official SDK through a real gate: upload, watch, download; and the desk's memory meanwhile."""

import json
import threading
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import openai

from bench.figures import at_least, at_most, exactly, told
from bench.proofs.fleet import MODEL
from bench.proofs.jobs.scene import Scene, scene
from bench.proofs.steps import Context, Row
from harness import cpu

LINES: Final = 50_000
_QUICK: Final = 2_000
_MIB: Final = 1_048_576
_GROWTH_MIB: Final = 64
_CHAT: Final = "/v1/chat/completions"
_WORDS: Final = 20
_BAD: Final = 997  # each so many lines one that is no request


def large(context: Context, row: Row) -> None:
    """50,000 lines, some of them bad: each good one is answered once, in order, and the desk's memory stays flat."""
    count = _QUICK if context.quick else LINES
    row.commands.append(f"tidegate serve -c (jobs: {{}}); a batch of {count:,} lines by OpenAI's SDK")
    source = context.work / "batch.jsonl"
    with source.open("wb") as file:
        file.writelines(_line(number) for number in range(count))
    with scene(context.work, "embedded", {"concurrency": 64}) as running:
        run = _Run(running, source, count)
        with openai.OpenAI(base_url=f"http://127.0.0.1:{running.gate.port}/v1", api_key="any", timeout=600) as client:
            run.go(client)
    row.figures += run.figures()


def _line(number: int) -> bytes:
    if number % _BAD == _BAD - 1:
        return b'{"custom_id": "bad-%d", "method": "POST", "url": "/v1/chat/completions", "body": [}\n' % number
    said = [{"role": "user", "content": f"question {number:06d} " + "word " * (_WORDS * _size(number))}]
    body = {"model": MODEL, "messages": said, "max_tokens": 8}
    return json.dumps({"custom_id": f"line-{number}", "method": "POST", "url": _CHAT, "body": body}).encode() + b"\n"


def _size(number: int) -> int:
    """How long its question is, which its answer's usage tells: so answers are told from those of the lines beside."""
    return number % 7


@dataclass(slots=True)
class _Run:
    scene: Scene
    source: Path
    count: int
    rss: list[int] = field(default_factory=list)  # of the desk
    took: dict[str, float] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)  # of lines that were answered, as the API told meanwhile
    output: Counter[str] = field(default_factory=Counter)
    errors: int = 0
    spent: float = 0.0  # CPU seconds of the desk

    def go(self, client: openai.OpenAI) -> None:
        """All of it, while somebody samples."""
        pid = self._desk(client)
        over = threading.Event()
        sampler = threading.Thread(target=self._sample, args=(pid, over))
        sampler.start()
        try:
            self._through(client)
        finally:
            over.set()
            sampler.join()
        self.spent = cpu.spent_us(pid, whole_tree=False) / 1e6

    def _desk(self, client: openai.OpenAI) -> int:
        """Its process, once it answers."""
        until = time.monotonic() + 30
        while True:
            try:
                client.batches.list(limit=1)
                break
            except openai.APIError:
                if time.monotonic() > until:
                    raise
                time.sleep(0.2)
        return next(pid for pid in cpu.tree(self.scene.gate.pid) if "tidegate.jobs.desk" in cpu.command(pid))

    def _sample(self, pid: int, over: threading.Event) -> None:
        while not over.wait(0.1):
            self.rss.append(cpu.resident_bytes(pid))

    def _through(self, client: openai.OpenAI) -> None:
        clock = _Laps(self.took)
        with self.source.open("rb") as file:
            made = client.files.create(file=file, purpose="batch")
        clock.lap("upload")
        batch = client.batches.create(input_file_id=made.id, endpoint=_CHAT, completion_window="24h")
        while batch.status not in {"completed", "failed", "expired", "cancelled"}:
            time.sleep(0.25)
            batch = client.batches.retrieve(batch.id)
            if batch.status == "finalizing" and "run" not in self.took:
                clock.lap("run")
            if batch.request_counts is not None:
                self.seen.append(batch.request_counts.completed)
        clock.lap("finish")
        if batch.output_file_id:
            self.output.update(self._judged(_lines(client, batch.output_file_id, self.source.with_suffix(".out"))))
        if batch.error_file_id:
            found = _lines(client, batch.error_file_id, self.source.with_suffix(".err"))
            self.errors = sum(one["error"]["line"] % _BAD == 0 for one in found)
        clock.lap("download")

    def _judged(self, lines: Iterator[dict[str, Any]]) -> Iterator[str]:
        """What is right, and what is wrong, of the output."""
        wanted = (number for number in range(self.count) if number % _BAD != _BAD - 1)
        least = 0
        for one in lines:
            number = next(wanted, -1)
            tokens = one["response"]["body"]["usage"]["prompt_tokens"]
            least = least or tokens  # of the shortest question
            if one["custom_id"] != f"line-{number}":
                yield "out of order"
            elif round((tokens - least) / _WORDS) != _size(number):
                yield "not its answer"
            else:
                yield "right"

    def figures(self) -> list[Any]:
        """What came of it."""
        bad = self.count // _BAD
        base, peak = self.rss[0] / _MIB, max(self.rss) / _MIB
        total = sum(self.took.values())
        laps = ", ".join(f"{name} {seconds:,.1f} s" for name, seconds in self.took.items())
        steps = len(set(self.seen) - {0, self.count - bad})
        rate = f"{self.count / total:,.0f} lines/s; the desk's CPU {self.spent:,.1f} s"
        right = self.output["right"]
        note = f"from {base:,.0f} to {peak:,.0f} MiB; input {self.source.stat().st_size / _MIB:,.0f} MiB"
        return [
            exactly(f"{self.count:,} lines: answered, in order, each with its answer", right, self.count - bad),
            exactly("lines of output that are not", self.output.total() - right, 0),
            exactly("bad lines, told with their numbers", self.errors, bad),
            at_most("the desk's memory grew by", peak - base, _GROWTH_MIB, "MiB", note),
            at_least("counts that were seen on the way", steps, 1),
            told("how long", f"{total:,.0f} s", f"{laps}; {rate}"),
        ]


class _Laps:
    """Seconds between one call and the next."""

    def __init__(self, laps: dict[str, float]) -> None:
        self._laps = laps
        self._last = time.monotonic()

    def lap(self, name: str) -> None:
        now = time.monotonic()
        self._laps[name] = self._laps.get(name, 0.0) + now - self._last
        self._last = now


def _lines(client: openai.OpenAI, file: str, path: Path) -> Iterator[dict[str, Any]]:
    """Downloaded to disk, then read line by line."""
    with client.files.with_streaming_response.content(file) as reply:
        reply.stream_to_file(path)
    with path.open("rb") as lines:
        for line in lines:
            yield json.loads(line)
