"""How a single call looks: its chain as a waterfall, and a line of it as it ends. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tidegate.cli.call_ids import shown
from tidegate.cli.manage import cell

_WIDE: Final = 24  # of a bar
_NAMES: Final = 14
_FACTS: Final = (
    ("namespace", "user", "key", "tier", "tag"),
    ("plan", "model", "provider", "scope", "served", "account"),
    ("status", "attempts", "streamed", "degraded", "cache", "why"),
    ("prompt_tokens", "completion_tokens", "cached_tokens", "reserved_tokens", "charged_tokens", "cost"),
    ("request_bytes", "answer_bytes", "trace_id", "request_id"),
)


def waterfall(call: Mapping[str, Any]) -> Iterator[str]:
    """The call's facts, and its stages below each other: when, for how long, what."""
    yield f"{shown(call['id'])}  {call['id']}  ended {cell(call, 'at')}  took {length(_whole(call))}"
    for names in _FACTS:
        facts = [f"{name.replace('_', ' ')} {cell(call, name)}" for name in names if _worth(call.get(name))]
        if facts:
            yield "  " + "  ".join(facts)
    stages = call.get("stages") or []
    if not stages:
        return
    yield ""
    whole = max([_whole(call), *(one["at_us"] + one.get("lasted_us", 0) for one in stages)]) or 1
    for one in stages:
        at, lasted = one["at_us"], one.get("lasted_us", 0)
        says = " ".join(word for word in (_target(one), cell(one, "says")) if word)
        times = f"{length(at):>9} {_bar(at, lasted, whole)} {length(lasted):>9}"
        yield f"{times}  {cell(one, 'stage'):<{_NAMES}} {says}".rstrip()
        yield from (f"{'':{_WIDE + 22 + _NAMES}} {line}" for line in _beside(one))


def line(call: Mapping[str, Any]) -> str:
    """One call as it ends."""
    where = "/".join(cell(call, name) for name in ("provider", "scope", "served") if call.get(name)) or "nobody"
    waited = call.get("queued_us", 0) + call.get("waited_us", 0)
    words = [
        cell(call, "at")[11:23],
        shown(call["id"]),
        f"{call['status']:>3}",
        f"{length(call['duration_us']):>9}",
        f"waited {length(waited)}" if waited else "",
        "/".join(cell(call, name) for name in ("namespace", "user") if call.get(name)),
        f"{cell(call, 'plan')} → {where}",
        _tokens(call),
        f"[{cell(call, 'why')}]" if call.get("why") else "",
    ]
    return "  ".join(word for word in words if word)


def _tokens(call: Mapping[str, Any]) -> str:
    """What it took, or what the cache saved."""
    hit = call.get("hit")
    if not hit:
        return f"{call['prompt_tokens']}+{call['completion_tokens']} tokens"
    saved = f"{hit['saved_prompt_tokens']}+{hit['saved_completion_tokens']} tokens saved"
    return f"{saved} by the cache ({cell(hit, 'layer')} of {shown(hit['source'])})"


def length(us: int) -> str:
    """A time as people read it."""
    if us < 1_000:
        return f"{us} µs"
    return f"{us / 1_000:.1f} ms" if us < 1_000_000 else f"{us / 1_000_000:.2f} s"


def _worth(value: object) -> bool:
    return value not in (None, "", 0, False)


def _whole(call: Mapping[str, Any]) -> int:
    return int(call.get("read_us", 0)) + int(call["duration_us"])


def _bar(at: int, lasted: int, whole: int) -> str:
    """Where in the whole it is; what takes no time is a point."""
    begin = min(at * _WIDE // whole, _WIDE - 1)
    size = max(1, -(-lasted * _WIDE // whole)) if lasted else 0
    body = "█" * min(size, _WIDE - begin) or "·"
    return f"{' ' * begin}{body}".ljust(_WIDE)


def _target(stage: Mapping[str, Any]) -> str:
    """Where its words do not have it already."""
    target = cell(stage, "target")
    return "" if target in cell(stage, "says") else target


def _beside(stage: Mapping[str, Any]) -> Iterator[str]:
    """What is worth a line of its own: whose key, when the first byte came, what it cost; the headers of a refusal."""
    figures = stage.get("figures") or {}
    words = []
    if account := figures.get("account"):
        words.append(f"account {account}")
    if first := figures.get("first_byte_us"):
        words.append(f"first byte after {length(int(first))}")
    counts = ("prompt_tokens", "completion_tokens", "reserved_tokens", "charged_tokens")
    words += [f"{figures[name]} {name.replace('_', ' ')}" for name in counts if figures.get(name)]
    if "bytes" in figures:
        words.append(f"{figures['bytes']} bytes")
    if words:
        yield cell({"words": ", ".join(words)}, "words")
    yield from (cell({"header": header}, "header") for header in stage.get("headers") or ())
    yield from (f"{cell(lane, 'scope')}: {cell(lane, 'says')}" for lane in stage.get("lanes") or ())
