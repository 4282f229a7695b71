"""After a cut: what `continue` and `restart` give the client, and what is never continued."""

import time
from collections.abc import Sequence
from typing import Any

from bench.figures import exactly, told
from bench.proofs.stage import PATHS, Stage, events, failed, finished, provider, question, spoken, stage, usages
from bench.proofs.steps import Context, Row
from harness.twin import Twin
from tidegate.model.facts import CallRecord

TOKENS = 40
_OFF = 2  # what was delivered of max_tokens before a cut is estimated where no usage was told
_TIMING = {"ttft_ms": 5, "tpot_ms": 1, "tokens": TOKENS, "chunk_tokens": 1, "chunk_ms": 0}
_FIRST, _NEXT = "gpt-4o", "claude-3-haiku"  # the first's maker takes no beginning of an answer, the other's does
_PROFILES = {"openai": "moonshot", "anthropic": "anthropic"}  # both take the beginning of an answer
_CUTS: dict[str, dict[str, Any]] = {
    "at the second token": {"at": "content"},
    "further on": {"after_bytes": 3_000},
    "by a reset": {"fault": "reset", "at": "content"},
    "by an error event": {"fault": "error_event", "at": "content"},
}
_SCHEMA = {
    "type": "object",
    "properties": {"city": {"type": "string"}, "day": {"type": "string"}},
    "required": ["city"],
}


def seams(context: Context, row: Row) -> None:
    """Each way to cut, once and twice, in both dialects, for each policy."""
    row.commands.append("tidegate twin -c, tidegate serve -c (streams: {on_cut: continue}, {on_cut: restart})")
    names = [f"{maker}-{mode}" for maker in PATHS for mode in ("continue", "restart")]
    models = [{"name": name, "provider": name.partition("-")[0]} for name in names]
    models += [{"name": _FIRST, "provider": "openai"}, {"name": _NEXT, "provider": "anthropic"}]
    with stage(context.work / "seams", _TIMING, models, _settings) as running:
        lengths: list[int] = []
        wrong = [why for maker in PATHS for why in _continued(running, maker, lengths)]
        count = len(PATHS) * len(_CUTS) * 2
        row.figures.append(
            exactly("continued: gapless, nothing twice, one usage for all attempts", count - len(wrong), count)
        )
        row.figures.append(
            told(
                f"tokens of answers of {TOKENS}", f"{min(lengths)}–{max(lengths)}", "the rest is asked for by estimate"
            )
        )
        count = len(PATHS) * len(_CUTS)
        crossed: list[str] = []
        for times, what in enumerate(("the usage that of both", "cut in its turn, the usage that of all three"), 1):
            bad = [why for maker in PATHS for why in _crossed(running, maker, times)]
            name = f"{_FIRST} continued by {_NEXT}: every token once, {what}"
            row.figures.append(exactly(name, count - len(bad), count))
            crossed += bad
        again = [why for maker in PATHS for why in _restarted(running, maker)]
        count = len(PATHS) * len(_CUTS)
        row.figures.append(
            exactly("restarted: an event that says so, then the whole answer", count - len(again), count)
        )
        never = [why for maker in PATHS for why in _never(running, maker)]
        row.figures.append(exactly("tool calls, JSON and closed blocks that were not continued", 5 - len(never), 5))
    row.figures += [told("wrong", why) for why in [*wrong, *crossed, *again, *never][:12]]


def _settings(running: Twin) -> dict[str, Any]:
    names = {maker: [f"{maker}-{mode}" for mode in ("continue", "restart")] for maker in PATHS}
    providers = {maker: provider(running, _PROFILES[maker], names[maker]) for maker in PATHS}
    providers["first"] = provider(running, "openai", [_FIRST])
    providers["next"] = provider(running, "anthropic", [_NEXT])
    retry = {"max_retries": 3, "base_seconds": 0.01, "budget": 1, "budget_floor": 1_000_000}
    strategies = {
        f"s-{name}": {
            "primary_model": name,
            "retry_policy": retry,
            "streams": {"on_cut": name.rpartition("-")[2]},
            "deadline_seconds": 20,
        }
        for some in names.values()
        for name in some
    }
    strategies[f"s-{_FIRST}"] = {
        "primary_model": _FIRST,
        "fallback_models": [{"model": _NEXT, "priority": 1}],
        "retry_policy": retry,
        "streams": {"on_cut": "continue"},
        "deadline_seconds": 20,
    }
    return {"providers": providers, "strategies": strategies}


def _struck(
    running: Stage, maker: str, model: str, rule: dict[str, Any], *others: dict[str, Any], **more: Any
) -> tuple[list[dict[str, Any]], int]:
    """The events of one stream of that model's strategy under these rules, and the calls that the model took."""
    struck = [{"fault": "cut", "match": {"model": model}, "count": 1, **rule}, *others]
    running.provider.ask("faults", {"rules": struck})
    before = len(running.calls(model))
    if maker == "openai":
        more["stream_options"] = {"include_usage": True}
    reply = running.ask(PATHS[maker], question(f"s-{model}", TOKENS, **more))
    return events(reply.body), len(running.calls(model)) - before


def _continued(running: Stage, maker: str, lengths: list[int]) -> list[str]:
    wrong = []
    for name, rule in _CUTS.items():
        for times in (1, 2):
            got, calls = _struck(running, maker, f"{maker}-continue", {**rule, "count": times})
            record = running.records(f"s-{maker}-continue")[-1]
            usage = usages(got)
            tokens = spoken(got)
            lengths.append(len(tokens))
            right = (
                tokens == list(range(1, len(tokens) + 1))
                and abs(len(tokens) - TOKENS) <= _OFF
                and finished(got)
                and not failed(got)
                and len(usage) == 1
                and usage[0][1] >= len(tokens) - _OFF
                and calls == times + 1
                and (maker != "openai" or (record.prompt_tokens, record.completion_tokens) == usage[0])
            )
            if not right:
                last = str(got[-1])[:150] if got and failed(got) else ""
                said = f"{len(tokens)} tokens {tokens[:3]}…{tokens[-3:]}, usage {usage}, {calls} calls, {last}"
                booked = f"booked {record.prompt_tokens}+{record.completion_tokens}"
                wrong.append(f"{maker}, {name}, {times} times: {said}, {booked}")
    return wrong


def _crossed(running: Stage, maker: str, times: int) -> list[str]:
    """A maker's client; the answer's beginning is of one maker, its end of the other, in so many calls."""
    wrong = []
    again = [{"fault": "cut", "at": "content", "match": {"model": _NEXT}, "count": 1}] * (times - 1)
    for name, rule in _CUTS.items():
        before, known = len(running.calls(_NEXT)), len(running.records(f"s-{_FIRST}"))
        got, calls = _struck(running, maker, _FIRST, rule, *again)
        after = running.calls(_NEXT)[before:]
        booked = _booked(running, f"s-{_FIRST}", known)
        tries = [(one.prompt_tokens, one.completion_tokens) for record in booked for one in record.tries]
        bills = [(call["prompt_tokens"], call["completion_tokens"]) for call in after]
        why = "" if calls == 1 else f"{calls} calls of {_FIRST}"
        if why := why or unsewn(got, tries, bills, times=times):
            wrong.append(f"{_FIRST} to {_NEXT}, {maker}'s client, {name}, {times} seams: {why}")
    return wrong


def _booked(running: Stage, plan: str, known: int) -> list[CallRecord]:
    """What the journal says of a plan beyond what was known; it is waited for, 10 s at most."""
    limit = time.monotonic() + 10
    while not (found := running.records(plan)[known:]) and time.monotonic() < limit:
        time.sleep(0.02)
    return found


def unsewn(
    got: Sequence[dict[str, Any]],
    tries: Sequence[tuple[int, int]],
    bills: Sequence[tuple[int, int]],
    whole: int = TOKENS,
    times: int = 1,
) -> str:
    """Why this is not one answer of so many attempts and one, "" when it is.

    `tries`: prompt and completion of each attempt as booked: by estimate but for the last one's, for a cut stream tells
    no usage. `bills`: what the provider that went on, `times` times, says of its calls.
    """
    tokens, usage = spoken(got), usages(got)
    if tokens != list(range(1, whole + 1)):
        return f"tokens {tokens}"
    if failed(got) or not finished(got):
        return "it does not end"
    if len(tries) != times + 1 or len(bills) != times or tries[-1] != bills[-1]:
        return f"booked {tries}, billed {bills}"
    if not all(made for _, made in tries) or sum(made for _, made in tries) != whole:
        return f"booked {tries} for {whole} tokens"
    summed = (sum(prompt for prompt, _ in tries), whole)
    return "" if usage == [summed] else f"usage {usage}, booked {tries}"


def _restarted(running: Stage, maker: str) -> list[str]:
    wrong = []
    for name, rule in _CUTS.items():
        got, calls = _struck(running, maker, f"{maker}-restart", rule)
        marks = [index for index, event in enumerate(got) if "restart" in str(event.get("type", ""))]
        after = spoken(got[marks[0] :]) if marks else []
        if len(marks) != 1 or after != list(range(1, TOKENS + 1)) or not finished(got) or calls != 2:
            wrong.append(f"restart, {maker}, {name}: {len(marks)} marks, {len(after)} tokens after it, {calls} calls")
    return wrong


def _never(running: Stage, maker: str) -> list[str]:
    wrong = []
    if maker == "anthropic":  # its only block is closed already: no text can be added, and the client is told
        got, calls = _struck(running, maker, f"{maker}-continue", {"at": "finish"})
        if not failed(got) or calls != 1 or spoken(got) != list(range(1, TOKENS + 1)):
            wrong.append(f"after the last block, {maker}: {calls} calls, {len(spoken(got))} tokens")
    closed: tuple[tuple[str, str, dict[str, Any]], ...]
    closed = (("tool", "arguments", _tool(maker)), ("JSON", "content", _json(maker)))
    for name, at, fields in closed:
        got, calls = _struck(running, maker, f"{maker}-continue", {"at": at}, **fields)
        if not failed(got) or calls != 1:
            wrong.append(f"{name}, {maker}: {calls} calls, {'an error' if failed(got) else 'no error'}")
    return wrong


def _tool(maker: str) -> dict[str, Any]:
    if maker == "anthropic":
        return {"tools": [{"name": "look", "input_schema": _SCHEMA}], "tool_choice": {"type": "any"}}
    tool = {"type": "function", "function": {"name": "look", "parameters": _SCHEMA}}
    return {"tools": [tool], "tool_choice": "required"}


def _json(maker: str) -> dict[str, Any]:
    schema = {**_SCHEMA, "additionalProperties": False}
    if maker == "anthropic":
        return {"output_config": {"format": {"type": "json_schema", "schema": schema}}}
    return {"response_format": {"type": "json_schema", "json_schema": {"name": "x", "schema": schema}}}
