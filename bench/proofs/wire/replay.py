"""The trace at three times the quota, judged by the twin's ledger."""

import json
from pathlib import Path
from typing import Any

from bench import gate
from bench.figures import Figure, at_least, at_most, exactly, median, missing, told
from bench.proofs.steps import Context, Row, Step, run
from bench.proofs.wire.truth import Offered, Told, errors
from bench.twin import KEY, TPM, gated, quota, smallest, trace_in, twin

_OFF_SECONDS = 5.0
_QUICK_CALLS = 9000


def at_speed(speed: int, *, windows: bool = True) -> Step:
    """A step that plays the trace so many times as fast, against a quota as many times as large.

    Without `windows` the run is too short for 60 s without a pause, for a bucket begins full: it shows the rest, and
    is left out of a quick proof.
    """

    def replay(context: Context, row: Row) -> None:
        if context.quick and not windows:
            row.figures.append(told(f"{speed}×", "left out by --quick"))
            return
        report = context.work / f"replay-{speed}.json"
        trace = trace_in(context.data)
        with (
            twin(context.work, *quota(speed), "--seed", "1") as provider,
            gated(context.work, smallest(provider.url, speed)) as url,
        ):
            command = [gate.program(), "replay", str(trace), "--url", url, "--key", KEY, "--speed", str(speed)]
            command += ["--ledger", f"http://127.0.0.1:{provider.port}", "--json", str(report)]
            command += ["--limit-calls", str(_QUICK_CALLS)] if context.quick else []
            done = run(row, command, seconds=3600 / speed + 600)
            charged = provider.ask("ledger")["by_model"].get("gpt-4o", {}).get("per_second", [])
        if not report.exists():
            row.figures.append(missing(f"replay at {speed}×", "a report", (done.stderr or done.stdout)[-300:]))
            return
        row.figures += judged(f"{speed}×", json.loads(report.read_text()), windows=windows)
        row.figures += truth(f"{speed}×", json.loads(report.read_text()), _calls(trace, speed), charged, speed)

    return replay


def judged(label: str, report: dict[str, Any], *, windows: bool) -> list[Figure]:
    """The promises about one run."""
    replay, ledger, latency = report["replay"], report["ledger"], report["replay"]["latency"]
    lost = replay["failed"] + replay["unanswered"]
    timeless = sum(1 for one in replay["refusals"] if not (one["retry_after"] or one["retry_after_ms"]))
    example = "; ".join(f"{kind}: {one['count']} ({one['example']})" for kind, one in replay["failures"].items())
    return [
        exactly(f"{label}: 429s at the provider", ledger["throttled"], 0, f"{ledger['avoidable']} avoidable"),
        _used(label, ledger["utilisation"], wanted=windows),
        exactly(f"{label}: calls neither answered nor refused", lost, 0, f"{replay['sent']:,} sent; {example}"),
        exactly(f"{label}: refused without a time", timeless, 0, f"{replay['refused']:,} refused"),
        told(f"{label}: latency p50, p99", f"{latency['p50'] / 1e3:.1f} s, {latency['p99'] / 1e3:.1f} s"),
    ]


def _used(label: str, used: dict[str, Any], *, wanted: bool) -> Figure:
    name = f"{label}: quota charged in every full 60 s"
    if used["windows"]:
        note = f"{len(used['windows'])} windows, mean {used['mean']:.2%}"
        return at_least(name, 100 * used["minimum"], 97, "%", note)
    why = "no 60 s whose queue never emptied"
    return missing(name, "≥ 97 %", why) if wanted else told(name, "–", why)


def truth(
    label: str, report: dict[str, Any], calls: list[tuple[float, int]], charged: list[int], speed: int
) -> list[Figure]:
    """How far the told times were off. The weights are scaled to what the provider charged for the same calls."""
    refused = {one["index"]: one for one in report["replay"]["refusals"]}
    if not refused:
        return [told(f"{label}: refused calls", "none")]
    calls = calls[: report["replay"]["sent"]]
    accepted = sum(weight for index, (_, weight) in enumerate(calls) if index not in refused)
    scale = sum(charged) / max(1, accepted)
    first = next((second for second, tokens in enumerate(charged) if tokens), 0)
    offered = [Offered(due, weight * scale, index in refused) for index, (due, weight) in enumerate(calls)]
    waits = [Told(index, one["at_s"], _seconds(one)) for index, one in refused.items()]
    off = errors(offered, waits, charged[first:], TPM * speed / 60)
    about = median(wait.wait_s for wait in waits)
    note = f"of {about:.0f} s in the median; sooner than it could be by {-min(off):.1f} s, later by {max(off):.1f}"
    return [
        at_most(f"{label}: told time off what the ledger allows, worst", max(map(abs, off)), _OFF_SECONDS, "s", note)
    ]


def _seconds(refusal: dict[str, Any]) -> float:
    return float(refusal["retry_after_ms"]) / 1e3 if refusal["retry_after_ms"] else float(refusal["retry_after"] or 0)


def _calls(trace: Path, speed: int) -> list[tuple[float, int]]:
    from tidegate.load.trace import read_trace

    return [(row.at_us / 1e6 / speed, max(row.context_tokens, row.generated_tokens, 1)) for row in read_trace(trace)]
