"""What becomes of a drill's questions in the dialects of its targets: told by the translations themselves."""

import json

from tidegate.drills.runner import body_of
from tidegate.model.call import Kind
from tidegate.model.drills import Drill, DrillSettings
from tidegate.policy.drills.asks import Ask
from tidegate.policy.drills.checks import Crossing, Finding, check
from tidegate.providers.dialects import ANTHROPIC
from tidegate.providers.translate.face import Untranslatable
from tidegate.providers.translate.table import crossing

_SPOKEN = {ANTHROPIC: Kind.MESSAGES}


def crossings(drills: tuple[Drill, ...], dialects: frozenset[str]) -> dict[tuple[str, str, str], Crossing]:
    """By drill, question and dialect. O(questions × dialects × bytes)."""
    found: dict[tuple[str, str, str], Crossing] = {}
    for dialect in dialects & _SPOKEN.keys():
        way = crossing(Kind.CHAT, _SPOKEN[dialect])
        for drill in drills if way is not None else ():
            for prompt in drill.prompts:
                body = json.dumps(body_of("model", Ask(prompt))).encode()
                try:
                    put = Crossing() if way is None else Crossing(way.request(body, "model", 0).dropped)
                except Untranslatable as error:
                    put = Crossing(impossible=str(error))
                found[drill.name, prompt.name, dialect] = put
    return found


def findings(settings: DrillSettings) -> list[Finding]:
    """All that the configuration alone says of the fallbacks of all strategies."""
    dialects = frozenset(target.dialect for one in settings.strategies for target in one.targets)
    put = crossings(settings.drills, dialects)
    return [one for strategy in settings.strategies for one in check(strategy, settings.drills, put)]
