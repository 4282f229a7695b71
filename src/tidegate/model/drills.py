"""Drills: proofs that fallbacks answer sensibly. Records of the snapshot.

Units are those of `model/snapshot.py`; moments are microseconds since 1970.
"""

from typing import Final, NamedTuple

from tidegate.model.record import Record

SOCKET: Final = (
    "drills.sock"  # in a worker's directory: where it takes the calls of drills, of this machine's user only
)
OUT: Final = "drills.out"  # in the state directory: which fallbacks are left out, for the workers
ASKED: Final = b"x-tidegate-drill"  # in a head at that socket: which target is asked, and what befalls the primary

PLAN: Final = "drill:"  # before a drill's name: the plan of its calls; before a provider's: its double that fails

CONTAINS: Final = "contains"
CONTAINS_ANY: Final = "contains_any"
NOT_CONTAINS: Final = "not_contains"
REGEX: Final = "regex"
IS_JSON: Final = "is_json"
JSON_SCHEMA: Final = "json_schema"
MAX_SECONDS: Final = "max_seconds"
LENGTH: Final = "length"
LANGUAGE: Final = "language"
FINISH: Final = "finish_reason"
TOOL: Final = "tool"
SIMILAR: Final = "similar"
JUDGE: Final = "judge"

RATE: Final = "429"
BROKEN: Final = "5xx"
TIMEOUT: Final = "timeout"
CUT: Final = "cut"  # a stream that ends before its first content
FAULTS: Final = (RATE, BROKEN, TIMEOUT, CUT)

PASSED: Final = "passed"
FAILED: Final = "failed"
NOT_JUDGED: Final = "not_judged"  # it could not be found out: the judge or the gate's own quota was away


class Expectation(Record, frozen=True):
    """What an answer has to be like. Which fields a kind uses, its maker (`config/build/drills.py`) knows."""

    kind: str
    weight: int = 1
    words: tuple[str, ...] = ()  # that it holds, holds one of, or does not hold; reasons to finish
    text: str = ""  # a pattern, a language, the name of a tool, a reference answer, a rubric
    schema: str = ""  # JSON
    least: float = 0.0
    most: float = 0.0  # 0 = no such bound
    fold: bool = False  # capital and small letters are the same


class DrillPrompt(Record, frozen=True):
    """One of the questions that a fallback must understand."""

    name: str
    messages: str  # JSON of a chat's messages
    expect: tuple[Expectation, ...]
    tools: str = ""  # JSON, "" = none
    max_tokens: int = 512
    images: bool = False


class Drill(Record, frozen=True):
    """What is asked, of whom, how often, and what it must come to."""

    name: str
    strategies: tuple[str, ...]
    prompts: tuple[DrillPrompt, ...]
    cron: str = ""  # "" = every `every_us`
    zone: str = "UTC"
    every_us: int = 86_400_000_000
    expires_us: int = 604_800_000_000  # so long a proof holds
    faults: tuple[str, ...] = FAULTS
    pass_permille: int = 800
    repeat: int = 1
    timeout_us: int = 60_000_000  # of one answer
    max_tokens: int = 200_000  # of a run
    max_cost_nano: int = 0  # 0 = no such bound
    on_failure: str = "alert"  # alert | out: it is left out of its strategy until it passes
    judge: str = ""  # model or strategy that grades
    judge_nano: int = 0  # for a million of its tokens, about; 0 = unknown
    embedder: str = ""  # model that serves /v1/embeddings, "" = as it can be had
    dearer_milli: int = 3_000  # a fallback that costs more than this part of the primary is said


class DrillTarget(Record, frozen=True):
    """One model of a strategy, as far as it can be judged without asking it."""

    model: str
    provider: str
    dialect: str
    base_url: str
    tools: bool = True
    images: bool = True
    context: int = 0  # 0 = unknown
    prompt_nano: int = 0  # for a million tokens, 0 = unknown
    completion_nano: int = 0
    limited: bool = False  # its limits are stated
    keyed: bool = True  # it has a key that is more than a placeholder
    local: bool = False  # on this machine or in a private network


class DrilledStrategy(Record, frozen=True):
    """A strategy and its targets, the primary first."""

    name: str
    targets: tuple[DrillTarget, ...]
    strict: bool = False  # what a dialect cannot say bars it
    deadline_us: int = 120_000_000

    @property
    def fallbacks(self) -> tuple[DrillTarget, ...]:
        """Those behind the primary."""
        return self.targets[1:]


class DrillSettings(Record, frozen=True):
    """What is proved, how, and how long a proof holds."""

    drills: tuple[Drill, ...] = ()
    strategies: tuple[DrilledStrategy, ...] = ()  # those with fallbacks
    asked: bool = False  # there are drills: all that a worker is told of them

    def strategy(self, name: str) -> DrilledStrategy | None:
        """O(strategies)."""
        return next((one for one in self.strategies if one.name == name), None)


class Latest(NamedTuple):
    """What the store knows of one target: its last run, its last run that told something, and how long a pass holds."""

    drill: str
    strategy: str
    target: str
    at_us: int  # of the last run, 0 = none
    state: str = ""  # of the last run that found something out: PASSED | FAILED, "" = none did
    until_us: int = 0  # as long as its last pass holds, 0 = it does not: there is none, or it is of something else
    permille: int = 0
    why: str = ""
    digest: str = ""  # of drill and target as they were in the last run
    last: str = ""  # what the last run came to
