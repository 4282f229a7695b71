"""The night's work: tickets become the lines of a batch, and its answers a table."""

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from time import sleep
from typing import Any

from openai import OpenAI
from openai.types import Batch

MODEL = "gpt-4o-mini"
TASK = (
    "Sort the customer's ticket: one word of defect, question, order, praise, then its urgency from 1 to 5, then one "
    "sentence for the colleague who takes it in the morning. Answer in the ticket's language."
)
_ENDED = frozenset(("completed", "failed", "expired", "cancelled"))
_LOOK_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Ticket:
    """What a customer wrote."""

    id: str
    text: str


@dataclass(frozen=True, slots=True)
class Sorted:
    """What the model says of it; `problem` where it says nothing."""

    ticket: str
    text: str = ""
    problem: str = ""


def tickets(file: Path) -> Iterator[Ticket]:
    """One a line. Read as they are needed: there may be many."""
    with file.open(encoding="utf-8") as lines:
        for line in lines:
            told = json.loads(line)
            yield Ticket(told["id"], told["text"])


def write_requests(asked: Iterable[Ticket], file: Path) -> None:
    """The batch's input: what would be sent to /v1/chat/completions, with a name to find its answer by."""
    with file.open("w", encoding="utf-8") as lines:
        for ticket in asked:
            messages = [{"role": "system", "content": TASK}, {"role": "user", "content": ticket.text}]
            body = {"model": MODEL, "max_tokens": 200, "messages": messages if ticket.text else []}
            line = {"custom_id": ticket.id, "method": "POST", "url": "/v1/chat/completions", "body": body}
            lines.write(json.dumps(line, ensure_ascii=False) + "\n")


def begin(client: OpenAI, night: str, requests: Path, webhook: str = "") -> Batch:
    """The batch of that night. Begun once: who is started again finds it, and pays for nothing twice."""
    for batch in client.batches.list():
        if (batch.metadata or {}).get("night") == night and batch.status not in {"failed", "cancelled", "expired"}:
            return batch
    with requests.open("rb") as lines:
        uploaded = client.files.create(file=lines, purpose="batch")
    return client.batches.create(
        input_file_id=uploaded.id,
        endpoint="/v1/chat/completions",
        completion_window="24h",
        metadata={"night": night},
        extra_body={"webhook": webhook} if webhook else None,
    )


def watch(client: OpenAI, batch: Batch, show: Callable[[Batch], None]) -> Batch:
    """The batch once it has ended; `show` sees it each time that it is looked at. A webhook would spare the looking."""
    show(batch)
    while batch.status not in _ENDED:
        sleep(_LOOK_SECONDS)
        batch = client.batches.retrieve(batch.id)
        show(batch)
    return batch


def answers(client: OpenAI, batch: Batch) -> Iterator[Sorted]:
    """What became of each line: answers in the input's order, then what was refused or not done, with why."""
    for line in _lines(client, batch.output_file_id):
        said = line["response"]["body"]["choices"][0]["message"]["content"]
        yield Sorted(line["custom_id"], " ".join(said.split()))
    for line in _lines(client, batch.error_file_id):
        body = (line.get("response") or {}).get("body") or {}
        error = line.get("error") or body.get("error") or {}
        yield Sorted(line["custom_id"], problem=error.get("message") or "no answer")


def _lines(client: OpenAI, file: str | None) -> Iterator[dict[str, Any]]:
    if file is None:
        return
    with client.files.with_streaming_response.content(file) as content:
        for line in content.iter_lines():
            yield json.loads(line)
