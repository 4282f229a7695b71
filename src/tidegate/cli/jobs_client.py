"""The verbs of `tidegate jobs` that an application's key is enough for: submit, watch, result."""

import json
import sys
import time
from argparse import ArgumentParser, Namespace, _SubParsersAction
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

from tidegate.cli.gate_client import Away, GateClient, add_connection
from tidegate.cli.manage import Failed, Json, cell, show
from tidegate.cli.manage import path as quoted

_CHAT = "/v1/chat/completions"
_COLUMNS = ("id", "state", "status", "model", "attempts", "created_at", "finished_at", "reason")
_BATCH = ("id", "status", "request_counts.total", "request_counts.completed", "request_counts.failed",
          "output_file_id", "error_file_id")  # fmt: skip
_MESSAGES = ("processing_status", "request_counts.succeeded", "request_counts.errored", "request_counts.canceled",
             "request_counts.expired", "results_url")  # fmt: skip
_LOOK = 0.5
_PATIENCE = 60.0  # seconds for which a gate that is watched may be away
_OF_JOBS = ("not_before", "deadline", "priority", "tag", "idempotency_key")
_ENDED = frozenset(("done", "failed", "dead", "cancelled", "completed", "expired", "ended"))
_GOOD = frozenset(("done", "completed", "ended"))


def add_verbs(verbs: "_SubParsersAction[ArgumentParser]") -> None:
    """Declare them."""
    submit = verbs.add_parser("submit", help="give a call, or a batch of them, to the gate")
    submit.add_argument("file", metavar="FILE", help="a call's body as JSON, or a batch as JSONL; -: a body from stdin")
    submit.add_argument("--path", default=_CHAT, help="of the call; default: %(default)s")
    submit.add_argument("--not-before", metavar="MOMENT", help="run it no earlier: 2026-11-30T01:00:00+08:00")
    submit.add_argument("--deadline", type=int, metavar="SECONDS", help="after which it is not worth it any more")
    submit.add_argument("--priority", type=int, metavar="N", help="-100 to 100, higher first among your own")
    submit.add_argument("--tag", action="append", metavar="TAG", help="may be given several times")
    submit.add_argument("--webhook", metavar="URL", help="told of its end")
    submit.add_argument("--idempotency-key", metavar="KEY", help="the same key again makes no second job")
    submit.add_argument("--wait", action="store_true", help="watch it to its end; 1 when that is not a good one")
    watch = verbs.add_parser("watch", help="progress of jobs and batches to their ends")
    watch.add_argument("jobs", metavar="ID", nargs="+", help="job_…, batch_… or msgbatch_…")
    result = verbs.add_parser("result", help="what a job was answered")
    result.add_argument("job", metavar="JOB")
    for verb in (submit, watch, result):
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done or did not end well, 2 for wrong usage."""
    try:
        return {"submit": _submit, "watch": _watch, "result": _result}[args.verb](GateClient(args), args)
    except Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status


def _submit(client: GateClient, args: Namespace) -> int:
    batch = args.file.endswith(".jsonl")
    made = _batch(client, args) if batch else _job(client, args)
    if not args.wait:
        show(args, made, _BATCH if batch else _COLUMNS)
        return 0
    return _watched(client, args, [str(made["id"])])


def _job(client: GateClient, args: Namespace) -> Json:
    given = {"not_before": args.not_before, "deadline_seconds": args.deadline, "priority": args.priority,
             "tags": args.tag, "webhook": args.webhook}  # fmt: skip
    asked = {"path": args.path, "body": _body(args.file)}
    key = {"idempotency-key": args.idempotency_key} if args.idempotency_key else {}
    return client.call("POST", "/v1/jobs", asked | {name: value for name, value in given.items() if value}, key)


def _batch(client: GateClient, args: Namespace) -> Json:
    """The first line says where its calls go."""
    given = [name for name in _OF_JOBS if getattr(args, name) is not None]
    if given:
        option = f"--{given[0].replace('_', '-')}"
        raise Failed(f"{option} is for single jobs: a batch is done within a day, behind them", 2)
    file = Path(args.file)
    try:
        with file.open(encoding="utf-8") as lines:
            endpoint = json.loads(lines.readline())["url"]
    except (OSError, ValueError, KeyError, TypeError):
        raise Failed(f'{file}: its first line is no {{"custom_id", "method", "url", "body"}}', 2) from None
    uploaded = client.upload(file, "batch")
    asked = {"input_file_id": uploaded["id"], "endpoint": endpoint, "completion_window": "24h"}
    return client.call("POST", "/v1/batches", asked | ({"webhook": args.webhook} if args.webhook else {}))


def _body(file: str) -> object:
    try:
        found = json.loads(sys.stdin.read() if file == "-" else Path(file).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise Failed(f"{file}: {getattr(error, 'strerror', None) or 'is no JSON'}", 2) from None
    if not isinstance(found, dict):
        raise Failed(f"{file}: the body of a call is a JSON object", 2)
    return found


def _watch(client: GateClient, args: Namespace) -> int:
    return _watched(client, args, args.jobs)


def _watched(client: GateClient, args: Namespace, names: list[str]) -> int:
    """0 when all have ended well. The bars go to standard error, and what they ended as to standard output."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TextColumn("{task.fields[state]}"),
               TimeElapsedColumn())  # fmt: skip
    ends: dict[str, Json] = {}
    with Progress(*columns, console=Console(stderr=True)) as bars:
        rows = {name: bars.add_task(cell({"id": name}, "id"), total=None, state="") for name in names}
        while left := [name for name in names if name not in ends]:
            for name in left:
                found = _looked(client, name)
                if _drawn(bars, rows[name], found):
                    ends[name] = found
            if len(ends) < len(names):
                time.sleep(_LOOK)
    shown = [ends[name] for name in names]
    show(args, shown, tuple(dict.fromkeys((*_COLUMNS, *_BATCH, *_MESSAGES))))
    return 0 if all(_state(found) in _GOOD for found in shown) else 1


def _looked(client: GateClient, name: str) -> Json:
    """How it stands; a gate that is away is asked again for a while. Raises `Failed`."""
    until = time.monotonic() + _PATIENCE
    while True:
        try:
            return client.call("GET", _where(name))
        except Away:
            if time.monotonic() > until:
                raise
            time.sleep(_LOOK)


def _drawn(bars: Progress, row: TaskID, found: Json) -> bool:
    """Show how far it is; True once it has ended."""
    state, counts = _state(found), found.get("request_counts")
    if isinstance(counts, dict):
        done = sum(int(count or 0) for name, count in counts.items() if name not in {"total", "processing"})
        total = int(counts.get("total") or 0) or done + int(counts.get("processing") or 0)
    else:
        total, done = 1, int(state in _ENDED)
    bars.update(row, total=total or None, completed=done, state=state)
    return state in _ENDED


def _state(found: Json) -> str:
    state = str(found.get("state") or found.get("status") or found.get("processing_status") or "")
    counts = found.get("request_counts")
    if state != "ended" or not isinstance(counts, dict):
        return state
    return "cancelled" if found.get("cancel_initiated_at") else "expired" if counts.get("expired") else state


def _where(name: str) -> str:
    of = {"batch": "/v1/batches", "msgbatch": "/v1/messages/batches"}.get(name.partition("_")[0], "/v1/jobs")
    return f"{of}{quoted(name)}"


def _result(client: GateClient, args: Namespace) -> int:
    said = client.raw(f"/v1/jobs{quoted(args.job)}/result")
    sys.stdout.buffer.write(said if said.endswith(b"\n") else said + b"\n")
    return 0
