"""`python -m examples.nightly_batch [TICKETS.jsonl] [--webhook URL]`: sorts tickets overnight."""

import argparse
import os
import sys
import tempfile
from datetime import UTC, datetime
from pathlib import Path

from openai import APIError, OpenAI
from openai.types import Batch

from examples.nightly_batch.night import answers, begin, tickets, watch, write_requests

_TICKETS = Path(__file__).with_name("tickets.jsonl")


def show(batch: Batch) -> None:
    """How far it is."""
    counts = batch.request_counts
    done = f"{counts.completed} of {counts.total} answered, {counts.failed} failed" if counts else ""
    print(f"{batch.id} {batch.status} {done}", file=sys.stderr)


def main() -> int:
    """1 when the batch did not complete."""
    parser = argparse.ArgumentParser(prog="python -m examples.nightly_batch", description="Sorts tickets overnight.")
    parser.add_argument("tickets", type=Path, nargs="?", default=_TICKETS, help="JSON lines with id and text")
    parser.add_argument("--night", default=f"{datetime.now(UTC):%Y-%m-%d}", help="one batch for each; default: today")
    parser.add_argument("--webhook", default="", help="told when the batch has ended")
    args = parser.parse_args()
    url = os.environ.get("TIDEGATE_URL", "http://127.0.0.1:8080/v1")
    key = os.environ.get("TIDEGATE_KEY", "anything")
    try:
        with tempfile.TemporaryDirectory() as folder, OpenAI(base_url=url, api_key=key, max_retries=5) as client:
            requests = Path(folder) / "requests.jsonl"
            write_requests(tickets(args.tickets), requests)
            batch = watch(client, begin(client, args.night, requests, args.webhook), show)
            for one in answers(client, batch):
                print(f"{one.ticket}\t{one.text or '!'}\t{one.problem}")
    except (APIError, OSError, ValueError, KeyError) as error:
        print(f"not sorted: {error}", file=sys.stderr)
        return 1
    return 0 if batch.status == "completed" else 1


if __name__ == "__main__":
    sys.exit(main())
