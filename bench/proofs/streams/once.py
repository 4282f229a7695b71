"""`Idempotency-Key`: many requests, one execution."""

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from bench.figures import exactly
from bench.proofs.stage import PATHS, provider, question, stage
from bench.proofs.steps import Context, Row
from harness.twin import Twin

BESIDE, LATER = 20, 5
_TIMING = {"ttft_ms": 50, "tpot_ms": 2, "tokens": 40, "chunk_tokens": 1, "chunk_ms": 0}
_FORMS = ("unary", "stream")


def once(context: Context, row: Row) -> None:
    """Beside each other and afterwards, unary and streamed, in both dialects; then another body under the same key."""
    row.commands.append("tidegate twin -c, tidegate serve -c; POST with idempotency-key")
    names = [(maker, form) for maker in PATHS for form in _FORMS]
    models = [{"name": f"{maker}-{form}", "provider": maker} for maker, form in names]
    with stage(context.work / "once", _TIMING, models, _settings) as running:
        for maker, form in names:
            model, path = f"{maker}-{form}", PATHS[maker]
            body, header = question(model, 40, stream=form == "stream"), {"idempotency-key": f"key-{model}"}
            gate = threading.Barrier(BESIDE)

            def ask(
                _: int, path: str = path, body: Any = body, header: Any = header, gate: Any = gate
            ) -> tuple[int, bytes]:
                gate.wait()
                reply = running.ask(path, body, header)
                return reply.status, reply.body

            with ThreadPoolExecutor(BESIDE) as threads:
                got = list(threads.map(ask, range(BESIDE)))
            later = [running.ask(path, body, header) for _ in range(LATER)]
            got += [(reply.status, reply.body) for reply in later]
            other = running.ask(path, body | {"max_tokens": 41}, header).status
            calls, same = len(running.calls(model)), sum(one == got[0] and one[0] == 200 for one in got)
            row.figures.append(exactly(f"{maker}, {form}: executions of {len(got)} requests", calls, 1))
            row.figures.append(exactly(f"{maker}, {form}: equal answers", same, len(got)))
            row.figures.append(exactly(f"{maker}, {form}: another body under the key is answered", other, 422))
            row.figures.append(exactly(f"{maker}, {form}: calls in the journal", len(running.records(model)), 1))


def _settings(running: Twin) -> dict[str, Any]:
    return {"providers": {maker: provider(running, maker, [f"{maker}-{form}" for form in _FORMS]) for maker in PATHS}}
