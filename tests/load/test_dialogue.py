"""Conversations send their whole history, so that the provider may read it from its cache."""

from itertools import pairwise

from tidegate.clock import SystemClock
from tidegate.load.client import connected
from tidegate.load.dialogue import Dialogues, Talk
from tidegate.load.driver import Target
from tidegate.twin import faults
from tidegate.twin.app import Twin
from tidegate.twin.settings import Limits, Rules, Settings, Spread, Timing

SECOND = 1_000_000
TALK = Talk(instruction=1_500, question=50, turns=4, max_tokens=10, pause_us=1_000)
FAST = Timing(ttft_ms=Spread(0.0), tpot_ms=Spread(0.0))


async def talked(twin: Twin, *keys: str, seconds: float = 0.6) -> list[tuple[int, int, int]]:
    """Turn number, prompt and cached tokens of every turn of the first conversation."""
    clock = SystemClock()
    with connected(Target(twin.url), clock) as transport:
        talks = Dialogues(transport, clock, [Target(twin.url, key) for key in keys], TALK)
        turns = await talks.hold(1, clock.now() + int(seconds * SECOND))
    return [(turn.number, turn.prompt_tokens, turn.cached_tokens) for turn in turns if turn.talk == 1]


async def test_history_grows_and_is_read_from_the_cache(tokenizer):
    """With one key each turn reads all of the one before."""
    rules = Rules(charge="prompt", cached_reads="free")
    twin = Twin(Settings(limits=Limits(rpm=10_000, tpm=10_000_000), rules=rules, timing=FAST), SystemClock(), tokenizer)
    await twin.start()
    turns = await talked(twin, "sk-a")
    twin.close()
    assert [number for number, _, _ in turns] == [0, 1, 2, 3]
    assert all(prompt > 1_000 for _, prompt, _ in turns)
    assert turns[0][2] == 0
    assert all(0.8 * before[1] < after[2] < after[1] for before, after in pairwise(turns))


async def test_in_turn_over_two_organisations_the_first_two_turns_read_nothing(tokenizer):
    """Each organisation has a cache of its own."""
    settings = Settings(limits=Limits(rpm=10_000, tpm=10_000_000), rules=Rules(cached_reads="free"), timing=FAST)
    twin = Twin(settings, SystemClock(), tokenizer)
    await twin.start()
    turns = await talked(twin, "sk-a", "sk-b")
    twin.close()
    assert [cached > 0 for _, _, cached in turns] == [False, False, True, True]


async def test_a_refused_turn_comes_back(tokenizer):
    """When it was told to, as the same turn."""
    twin = Twin(Settings(limits=Limits(rpm=600, tpm=10_000_000), timing=FAST), SystemClock(), tokenizer)
    await twin.start()

    twin.state.faults.rules = faults.parse(b'[{"fault": "429", "retry_after_ms": "20", "count": 1}]')
    turns = await talked(twin, "sk-a")
    twin.close()
    assert [number for number, _, _ in turns] == [0, 1, 2, 3]
