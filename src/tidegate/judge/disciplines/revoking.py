"""A key is revoked: how long does any replica go on taking it?"""

import asyncio
import contextlib
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import Arena, Options
from tidegate.judge.client import Ask, Client
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.rules import Verdict
from tidegate.judge.setup import KEY
from tidegate.load.client import connected
from tidegate.load.driver import Target

_LINES: Final = 4  # connections to each replica, so that each of its processes is met
_EVERY_S: Final = 0.02
_QUIET_US: Final = 2_000_000  # nobody has been served for so long: it is over


async def _run(arena: Arena) -> Verdict:
    options, clock, setup = arena.options, arena.clock, arena.setup
    ask, accepted = Ask(KEY, options.revocable, 1), [0]
    with contextlib.ExitStack() as stack:
        lines = [
            Client(stack.enter_context(connected(Target(url), clock)), clock, url, setup.dialect, options.headers)
            for url in options.gates
            for _ in range(_LINES)
        ]
        first = await asyncio.gather(*(line.ask(ask) for line in lines))
        if any(one.status != 200 for one in first):
            return Verdict("revocation", why_not=f"the key {options.revocable} is not taken: {first[0].said}")
        began = clock.now()
        command = await asyncio.create_subprocess_shell(
            options.revoke_command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
        )
        ends = began + int(rules.REVOKED_BAD_S * 1e6)

        def going_on() -> bool:
            return clock.now() < min(ends, max(accepted[0], began) + _QUIET_US)

        async def watch(line: Client) -> None:
            while command.returncode is None or going_on():
                one = await line.ask(ask)
                if one.status == 200:
                    accepted[0] = max(accepted[0], one.sent_us)
                await asyncio.sleep(_EVERY_S)

        watching = asyncio.gather(*(watch(line) for line in lines))
        said, _ = await command.communicate()
        await watching
        if command.returncode:
            words = said.decode("utf-8", "replace").strip()[-200:]
            return Verdict("revocation", why_not=f"its command ended with {command.returncode}: {words}")
        took = max(0, accepted[0] - began) / 1e6
        note = f"from the command's begin, over {len(lines)} connections; resolution {_EVERY_S * 1e3:.0f} ms"
        return Verdict("revocation", (rules.revoked(took, note),), arrivals="one key, asked all the time")


def _missing(options: Options) -> str:
    return "" if options.revoke_command else "no command that revokes a key was given (--revoke-command)"


DISCIPLINES: Final = (
    Discipline(
        "revocation",
        "how long is a key taken that has been revoked?",
        "keys that can be revoked while it runs, and a command that does it",
        _run,
        _missing,
    ),
)
