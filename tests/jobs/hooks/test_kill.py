"""A sender that is killed at the worst moment."""

import asyncio
import os
import signal
import sys
from pathlib import Path

from sqlalchemy import text
from standardwebhooks import Webhook

from tests.jobs.hooks.stand import SECRET, Book, Home, Receiver, Sender, WallClock, advance, end, job
from tidegate.jobs.hooks.log import deliveries
from tidegate.jobs.rows.rows import JobRows

ROOT = Path(__file__).parents[3]


async def test_what_was_sent_and_not_noted_is_sent_again(rows: JobRows, clock: WallClock) -> None:
    """At least once, and with the same id, by which its receiver knows that it is the same."""
    plain = Receiver(None, clock)
    await plain.start()
    end(rows, clock, job("job_1", plain.url("/hook", "127.0.0.1"), clock))
    victim = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.jobs.hooks.victim", rows.engine.url.render_as_string(), cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)}, stdout=asyncio.subprocess.PIPE,
    )  # fmt: skip
    assert victim.stdout is not None
    assert await victim.stdout.readline() == b"sent\n"
    victim.send_signal(signal.SIGKILL)
    await victim.wait()
    assert len(plain.told) == 1
    assert deliveries(rows, "job_1") == []

    sender = Sender(Home(rows, clock), Book())
    running = asyncio.create_task(sender.run())
    await advance(clock, sender, lambda: len(plain.told) == 2)
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    first, second = plain.told
    assert first.headers["webhook-id"] == second.headers["webhook-id"]
    assert Webhook(SECRET).verify(first.body, first.headers) == Webhook(SECRET).verify(second.body, second.headers)
    with rows.engine.connect() as connection:
        assert connection.execute(text("SELECT hook_state FROM jobs")).scalar() == "sent"
    assert [one.status for one in deliveries(rows, "job_1")] == [200]
    plain.stop()
