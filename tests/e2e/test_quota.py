"""The main job in short: three times the quota is offered, and the provider has nothing to refuse.

Texts are English, Chinese and code; nobody here knows the provider's count of their tokens. `./dev prove 1` does the
same for an hour of a real trace.
"""

from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random

import pytest

from harness.gate import provider
from harness.twin import Twin
from harness.wait import until
from tests.e2e.stand import Gate, total
from tidegate.clock import SystemClock
from tidegate.load.calls import CallSettings, LoadCall, plan_calls
from tidegate.load.client import connected
from tidegate.load.driver import Driver, Target
from tidegate.load.outcome import CallResult, Ending
from tidegate.load.texts import Texts
from tidegate.load.trace import TraceRow

TPM = 600_000
LIMITS = {"rpm": 100_000, "tpm": TPM}
SECOND_US = 1_000_000
SECONDS = 2.5
OFFERED = 3  # times the quota
MEAN_TOKENS = 300
AT_ONCE = {"ttft_ms": 0, "tpot_ms": 0}
DRAIN = TPM - 20_000  # tokens of one call: the bucket is full at first, this leaves 2 s' worth


@pytest.fixture(scope="module")
def texts() -> Texts:
    return Texts(1)


def arrivals(texts: Texts, middle: Callable[[], object] = lambda: None) -> Iterator[LoadCall]:
    """Calls for the seconds of a run, of very different sizes; `middle` is called in the middle of it."""
    rng = Random(7)
    count = int(SECONDS * OFFERED * TPM / 60 / MEAN_TOKENS)
    rows = []
    for index in range(count):
        prompt, output = rng.randrange(20, 2 * MEAN_TOKENS), rng.randrange(1, MEAN_TOKENS)
        rows.append(TraceRow(int(index * SECONDS * SECOND_US / count), prompt, output))
    for call in plan_calls(rows, CallSettings("gpt-4o"), texts):
        if call.index == count // 2:
            middle()
        yield call


async def offer(gate: Gate, calls: Iterator[LoadCall]) -> list[CallResult]:
    """Send every call when it is due, with 1 s until its answer must begin; how each ended."""
    clock, results = SystemClock(), list[CallResult]()
    target = Target(gate.url, deadline_ms=1_000)
    with connected(target, clock) as pool:
        await Driver(pool, clock, target, results.append).drive(calls)
    return results


def judge(results: list[CallResult]) -> Counter[Ending]:
    """How many ended how: answered, or refused with a time to come back.

    On a busy machine some have their turn so late that their answer cannot be complete in time: 504.
    """
    late = [result for result in results if result.kind == "http 504 deadline_exceeded"]
    assert len(late) <= len(results) // 10
    endings = Counter(result.ending for result in results if result not in late)
    assert set(endings) == {Ending.ANSWERED, Ending.REFUSED}, [r for r in results if r.ending is Ending.FAILED][:3]
    refused = [result for result in results if result.ending is Ending.REFUSED]
    assert all(int(r.retry_after_ms) > 0 and int(r.retry_after) > 0 and r.should_retry == "true" for r in refused)
    return endings


@pytest.fixture(scope="module")
def plain_twin(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Twin]:
    """A twin that answers at once."""
    twin = Twin(tmp_path_factory.mktemp("plain"), {"limits": LIMITS, "timing": AT_ONCE})
    yield twin
    twin.close()


@pytest.fixture
def twin(plain_twin: Twin, tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Twin]:
    """The plain one, or one with rules of its own where a test says so."""
    rules = getattr(request, "param", None)
    if rules is None:
        yield plain_twin
        return
    twin = Twin(tmp_path / "twin", {"limits": LIMITS, "timing": AT_ONCE, "rules": rules})
    yield twin
    twin.close()


@pytest.fixture
def key(request: pytest.FixtureRequest) -> str:
    """An organisation of its own for every test."""
    return f"sk-{request.node.name}"


@pytest.fixture
def gate(twin: Twin, key: str, gates: Callable[..., Gate]) -> Gate:
    """In front of it, with the same limits."""
    window = twin.tree.get("rules", {}).get("window", "continuous")
    return gates({"providers": {"openai": provider(twin.url, key, {"gpt-4o": LIMITS}, window=window)}})


async def test_three_times_the_quota(
    gate: Gate, twin: Twin, key: str, texts: Texts, record_property: Callable[[str, object], None]
) -> None:
    """No 429 at the provider, its quota used, every call answered or refused with a time, and each on record once."""
    assert (await gate.chat("gpt-4o", max_tokens=DRAIN)).status == 200
    results = await offer(gate, arrivals(texts))
    endings = judge(results)
    books = twin.ledger(key, "gpt-4o")
    assert (books["throttled"], books["avoidable"]) == (0, 0)
    assert books["calls"] >= endings[Ending.ANSWERED] + 1
    first, *_, last = [call for call in twin.calls() if call["status"] == 200 and call["key"] == key]
    depth = TPM - TPM // 240  # a quarter of a second is kept for jitter
    given = depth - DRAIN + (last["arrived_us"] - first["arrived_us"]) * TPM // 60 // SECOND_US
    used = (books["charged_tokens"] - DRAIN) / given
    record_property("quota_used", used)
    print(f"{used:.1%} of {given} tokens used; {dict(endings)}")
    assert used > 0.97
    assert len(gate.records()) == len(results) + 1


async def test_a_limit_that_is_lowered_on_the_way(gate: Gate, twin: Twin, key: str, texts: Texts) -> None:
    """The provider halves its limit without a word: the next reply's headers tell, and no 429 after it is avoidable."""
    assert (await gate.chat("gpt-4o", max_tokens=DRAIN)).status == 200
    half = {"key": key, "model": "gpt-4o", "tpm": TPM // 2}
    endings = judge(await offer(gate, arrivals(texts, lambda: twin.ask("limits", half))))
    books = twin.ledger(key, "gpt-4o")
    assert books["avoidable"] == 0
    assert books["throttled"] < endings[Ending.ANSWERED] // 10
    line = 'tidegate_quota_limit{model="gpt-4o",provider="openai",scope="main",unit="tokens"'
    await until(lambda: total(gate, line) == TPM // 2, "the gate to have followed")


@pytest.mark.parametrize("twin", [{"ghost": "30%"}], indirect=True, ids=["ghost"])
async def test_a_quota_that_others_use_too(gate: Gate, twin: Twin, key: str, texts: Texts) -> None:
    """Almost a third is used behind the gate's back: it finds out before the provider has to refuse more than a few."""
    assert (await gate.chat("gpt-4o", max_tokens=TPM - 40_000)).status == 200
    endings = judge(await offer(gate, arrivals(texts)))
    books = twin.ledger(key, "gpt-4o")
    print(f"{books['throttled']} 429s, {endings[Ending.ANSWERED]} answered")
    assert books["avoidable"] == 0
    assert books["throttled"] <= endings[Ending.ANSWERED] // 50
    line = 'tidegate_quota_others{model="gpt-4o",provider="openai",scope="main",unit="tokens"'
    await until(lambda: total(gate, line) > TPM // 100, "the gate to have told what others spend")


@pytest.mark.parametrize(
    ("twin", "first"),
    [({"window": "quantised"}, 100), ({"window": "fixed"}, DRAIN)],
    indirect=["twin"],
    ids=["quantised", "fixed"],
)
async def test_other_windows(gate: Gate, twin: Twin, key: str, texts: Texts, first: int) -> None:
    """A provider that counts by the second, or in minutes of its own: no 429 either."""
    assert (await gate.chat("gpt-4o", max_tokens=first)).status == 200
    endings = judge(await offer(gate, arrivals(texts)))
    books = twin.ledger(key, "gpt-4o")
    assert (books["throttled"], books["avoidable"]) == (0, 0)
    assert endings[Ending.ANSWERED] > 30
