"""Every kind of channel at a strict imitation of its service: told, signed, refused with the remedy, paced, bounded."""

import asyncio
import os
import tempfile
import time
from collections.abc import Callable, Coroutine
from pathlib import Path
from typing import Any, Final

import msgspec
import uvloop

from bench.figures import Figure, at_most, exactly, told
from bench.proofs.steps import Context, Row
from tidegate.alerts.channels.table import open_channel
from tidegate.alerts.face import NotSent
from tidegate.clock import SystemClock
from tidegate.model.alerts import CRITICAL, FIRING, AlertChannel, AlertItem, AlertSettings, Notice
from tidegate.ports import Clock
from tidegate.testing.channels import FAULTS, Stand
from tidegate.testing.channels.stand import PASSWORD, SECRET, SIGNING, TOKEN
from tidegate.testing.clock import ManualClock

_SECOND: Final = 1_000_000
_SHORT_US: Final = 500_000
_LATE_S: Final = 1.0  # of a send whose time is half a second, on a busy machine
_SERVED: Final = ("dingtalk", "wecom", "feishu", "slack", "webhook", "email", "apprise")
_ROBOTS: Final = _SERVED[:5]
_PACED: Final = {"dingtalk": 100, "wecom": 100, "feishu": 400, "slack": 100}
_SETTINGS: Final = AlertSettings(zone="Asia/Shanghai", gate="proof")
_WRONG: Final = {"dingtalk": "SECother0key", "feishu": "other0key", "webhook": "whsec_" + "b3RoZXIw" * 4}
_CANARIES: Final = (TOKEN, SECRET, SIGNING, PASSWORD)


def channels(_context: Context, row: Row) -> None:
    """The channels of the gate's own table, as its watch opens them, on the event loop that the gate has."""
    row.commands.append("open_channel(…).send(notice), each kind at tidegate.testing.channels")
    for name in [name for name in os.environ if name.lower().endswith("_proxy")]:
        del os.environ[name]
    for part in (_delivered, _command, _refused, _bounded, _paced):
        row.figures += _run(part)


def _run(part: Callable[[], Coroutine[Any, Any, list[Figure]]]) -> list[Figure]:
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(part())


def _notice(clock: Clock, named: str = "n1") -> Notice:
    at = clock.wall()
    since = at - 300 * _SECOND
    item = AlertItem("limited_seconds", "limited_seconds", CRITICAL, (("model", "gpt-4o"),), 300, 300, since)
    return Notice(named, FIRING, CRITICAL, at, (item,))


async def _send(channel: AlertChannel, clock: Clock, named: str = "n1") -> NotSent | None:
    try:
        await open_channel(channel, _SETTINGS, clock).send(_notice(clock, named))
    except NotSent as error:
        return error
    return None


async def _delivered() -> list[Figure]:
    """In both languages; whatever is not as its document says is refused by the imitation.

    Each language has imitations of its own: what a channel takes in a second is not the question here.
    """
    clock, took, refused = SystemClock(), dict.fromkeys(_SERVED, 0.0), 0
    titles: dict[str, list[str]] = {kind: [] for kind in _SERVED}
    for language in ("en", "zh"):
        with Stand() as stand:
            for kind in _SERVED:
                began = time.perf_counter()
                await _send(stand.channel(kind, 20 * _SECOND, language), clock, language)
                took[kind] = time.perf_counter() - began
                titles[kind] += [kept.title for kept in stand.kept(kind)]
            refused += len(stand.refused)
    spent = ", ".join(f"{kind} {took[kind] * 1e3:.0f} ms" for kind in _SERVED)
    return [
        *(
            exactly(f"{kind}: taken, in English and Chinese", len(titles[kind]), 2, " | ".join(titles[kind]))
            for kind in _SERVED
        ),
        told("the second message took", spent),
        exactly("of these, refused for signature, form or size", refused, 0),
    ]


async def _command() -> list[Figure]:
    """A program gets the notice, and of the gate's environment three variables."""
    os.environ["PROOF_SECRET"] = SECRET
    with tempfile.TemporaryDirectory() as folder:
        seen = Path(folder) / "seen"
        words = ("/bin/sh", "-c", f"cat > {seen}; env >> {seen}")
        error = await _send(AlertChannel("more", "command", command=words), SystemClock())
        text = seen.read_text(encoding="utf-8")
        slow = await _send(
            AlertChannel("more", "command", command=("/bin/sh", "-c", "yes & wait"), timeout_us=_SHORT_US),
            SystemClock(),
        )
    return [
        exactly("command: the notice on its input and in variables", int(not error and text.count("gpt-4o") >= 2), 1),
        exactly("command: the gate's secrets in its environment", text.count(SECRET), 0),
        exactly("command: killed with its children when its time is over", int(slow is not None), 1, str(slow)),
    ]  # fmt: skip


async def _refused() -> list[Figure]:
    """A wrong secret or token: told with what to do, final where only somebody can mend it, and without any secret."""
    clock, figures = SystemClock(), []
    with Stand() as stand:
        for kind in _ROBOTS:
            channel = stand.channel(kind)
            if kind in _WRONG:
                channel = msgspec.structs.replace(channel, secret=_WRONG[kind])
            else:
                channel = msgspec.structs.replace(channel, url=channel.url.replace(TOKEN, "other0key"))
            error = await _send(channel, clock)
            figures.append(exactly(f"{kind}: wrong secret is refused", int(error is not None), 1, str(error)))
            figures.append(exactly(f"{kind}: secrets in what is said of it", _shown(error), 0))
        figures.append(exactly("messages that a wrong secret got through", len(stand.kept()), 0))
    return figures


async def _bounded() -> list[Figure]:
    """Every fault of every robot, each within half a second: slow, endless, dripping, cut, and so on."""
    clock, longest, shown = SystemClock(), 0.0, 0
    with Stand() as stand:
        for kind in _ROBOTS:
            for fault in FAULTS:
                stand.fail(kind, fault)
                began = time.perf_counter()
                shown += _shown(await _send(stand.channel(kind, _SHORT_US), clock))
                longest = max(longest, time.perf_counter() - began)
    count = len(_ROBOTS) * len(FAULTS)
    return [
        at_most(
            f"longest of {count} sends that met a fault (time-out 0.5 s)", longest, _LATE_S, "s", ", ".join(FAULTS)
        ),
        exactly("secrets in what was said of them", shown, 0),
    ]


async def _paced() -> list[Figure]:
    """Many notices in a row, in virtual time, at robots that count exactly and shut out who comes too often."""
    figures = []
    for kind, count in _PACED.items():
        clock = ManualClock()
        with Stand(now=lambda clock=clock: clock.wall() / _SECOND) as stand:  # type: ignore[misc]
            opened = open_channel(stand.channel(kind, _SECOND), _SETTINGS, clock)
            for number in range(count):
                await _patiently(opened.send, _notice(clock, f"n{number}"), clock)
            took = (clock.now() - _SECOND) / (60 * _SECOND)
            figures.append(exactly(f"{kind}: {count} notices in a row, taken", len(stand.kept()), count))
            note = f"in {took:.1f} virtual minutes, {count / max(took, 1e-9):.0f} a minute"
            figures.append(exactly(f"{kind}: refused by its rate limit", len(stand.refused), 0, note))
    return figures


async def _patiently(send: Callable[[Notice], Coroutine[Any, Any, None]], notice: Notice, clock: ManualClock) -> None:
    while True:
        try:
            await send(notice)
            return
        except NotSent as early:
            await clock.advance(early.retry_after_us or _SECOND)


def _shown(error: NotSent | None) -> int:
    return sum(canary in f"{error}{error!r}" for canary in (*_CANARIES, "other0key"))
