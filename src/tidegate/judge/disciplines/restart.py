"""The gateway is restarted under load: what becomes of its calls, and does it still know what it has spent?"""

import asyncio
from typing import Final

from tidegate.judge import rules
from tidegate.judge.arena import WARM_S, Arena, Options
from tidegate.judge.disciplines.discipline import Discipline
from tidegate.judge.disciplines.quota import OFFERED, SHORT, Limit, heard
from tidegate.judge.rules import Verdict
from tidegate.judge.setup import KILLED, RPM
from tidegate.load.crowd import Member
from tidegate.load.visits import End


async def _run(arena: Arena) -> Verdict:
    seconds = arena.options.seconds(60, 180)
    limit = Limit(KILLED, "requests", RPM, 1, arena.setup.window)
    crowd = [Member("first", arena.options.keys[0], OFFERED * RPM / 60, SHORT)]
    show, (code, said) = await asyncio.gather(arena.play(KILLED, crowd, WARM_S + seconds), _restarted(arena))
    if code:
        return Verdict("restart", why_not=f"its command ended with {code}: {said}")
    events = await arena.provider.events(KILLED)
    foreseen = sum(1 for row in events if row[5] == "avoidable")
    lost = sum(1 for visit in show.visits if visit.tries[-1].end is End.FAILED)
    found = (
        rules.share("calls not lost", len(show.visits) - lost, len(show.visits)),
        rules.over_limit("over the limit, worst minute", limit.over(events), RPM, "requests", 1),
        rules.avoidable(foreseen, len(events)),
        *heard(show.visits, events),
    )
    return Verdict("restart", found, arrivals=show.arrivals)


async def _restarted(arena: Arena) -> tuple[int, str]:
    """After the warm-up; exit status and last words of the command."""
    await asyncio.sleep(WARM_S)
    command = await asyncio.create_subprocess_shell(
        arena.options.restart_command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    said, _ = await command.communicate()
    return command.returncode or 0, said.decode("utf-8", "replace").strip()[-200:]


def _missing(options: Options) -> str:
    return "" if options.restart_command else "no command that restarts it was given (--restart-command)"


DISCIPLINES: Final = (
    Discipline(
        "restart", "a restart under load: calls kept, limits kept", "a command that restarts it", _run, _missing
    ),
)
