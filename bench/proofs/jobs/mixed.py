"""Conversations at three times the quota, with patient work behind them and without."""

import asyncio
import contextlib
import time
from collections.abc import Sequence
from functools import partial

from bench.figures import at_least, at_most, exactly, told
from bench.proofs.fleet import CALL, Policy, Quota, fleet
from bench.proofs.jobs.scene import Asker, submit, until
from bench.proofs.quota.used import WARM_SECONDS, tenants, used
from bench.proofs.steps import Context, Row
from bench.proofs.traffic import Show, play, punctual
from tidegate.jobs.rows.open import open_rows
from tidegate.jobs.rows.rows import JobRows
from tidegate.judge.served import admissions, matched
from tidegate.load.report import percentiles
from tidegate.load.visits import Visit
from tidegate.model.jobs import DONE, JobSettings

_JOBS = {"jobs": {"concurrency": 64, "call_deadline_seconds": 600}}
_WORSE = 1.1
_PATIENCE_S = 300


def beside_conversations(context: Context, row: Row) -> None:
    """Two gates with an account each, the same arrivals; one has jobs that never run out."""
    watched = 60 if context.quick else 600
    row.commands.append(f"tidegate serve twice, 3× offered for {watched} s; POST /v1/jobs behind one of them")
    quota, length = Quota(accounts=2), WARM_SECONDS + watched + 2
    crowd = tenants(quota, 3)
    with contextlib.ExitStack() as stack:
        plain = stack.enter_context(fleet(context.work, quota, Policy(), crowd, "plain"))
        mixed = stack.enter_context(fleet(context.work, quota, Policy(extra=_JOBS), crowd, "mixed"))
        plain.empty_books()
        mixed.empty_books()
        key = crowd[0].key
        count = watched // 2

        async def patient() -> None:
            await asyncio.sleep(5)
            await submit(Asker(mixed.gate.port, key, CALL - 3, 4), range(count))

        shows = [Show(one.gate.url, crowd, length) for one in (plain, mixed)]
        visits = play(shows, [patient()])
        served = [admissions(one.events()) for one in (plain, mixed)]
        rows = open_rows(JobSettings(enabled=True), "", mixed.gate.home / "state")
        began = time.monotonic()
        asyncio.run(until(partial(_over, rows, count), _PATIENCE_S))
        took = time.monotonic() - began
        done = sum(one.jobs for one in rows.ended() if one.state == DONE)
        rows.engine.dispose()
        waits = [_p99(seen, had) for seen, had in zip(visits, served, strict=True)]
        jobs = sum(one.tenant == "job" for one in served[1])
        share = used(mixed.ledger()["per_second"], quota, WARM_SECONDS, WARM_SECONDS + watched)
        note = f"without jobs {waits[0]:,.0f} ms; {jobs:,} of {count:,} jobs ran beside them; {mixed.gate.refused}"
        limit = waits[0] * _WORSE
        row.figures += [
            at_most("p99 of a conversation's wait for quota, jobs behind it", waits[1], limit, "ms", note),
            at_least("quota used, jobs behind conversations", share, 99, "%"),
            exactly("avoidable 429s", mixed.ledger()["avoidable"], 0),
            at_least("jobs that ran at three times the quota", jobs, 1),
            exactly("jobs done, once the conversations are over", done, count, f"{took:.0f} s after them"),
            punctual("with jobs", visits[1]),
            told("429s of the provider, with jobs", f"{mixed.ledger()['throttled']:,}"),
        ]


def _over(rows: JobRows, count: int) -> bool:
    return sum(one.jobs for one in rows.ended()) >= count


def _p99(visits: Sequence[Visit], served: Sequence[object]) -> float:
    matches, _ = matched(list(visits), served)  # type: ignore[arg-type]
    return percentiles(match.wait_us for match in matches if match.at_us is not None).p99
