"""What a policy's own ledger holds, through the same policy: every call ends as it ended, and waits as it did."""

import random
from collections.abc import Sequence

from msgspec.structs import replace

from tests.dryrun.days import PROFILE, SECOND, call, policy, provider, space
from tidegate.dryrun.outcome import ANSWERED, REFUSED, Outcome
from tidegate.dryrun.past import Past
from tidegate.dryrun.play import Play
from tidegate.model.arrivals import Arrival
from tidegate.model.entitlements import Allowance
from tidegate.model.snapshot import Snapshot, Strategy

TOOK_US = 200_000
STRICT = replace(PROFILE, settles=False, charge="max", window="continuous", jitter_us=100_000)


def crowd(calls: int = 2_400) -> list[Arrival]:
    """Six tenants, one of them a vip, ask for three times the quota; each call states its `max_tokens`."""
    chance, day, at = random.Random(5), [], 0.0
    for _ in range(calls):
        at += chance.expovariate(40.0)
        name, most = f"team-{chance.randrange(6)}", chance.randint(1_000, 2_000)
        fields = {"namespace": name, "key": f"{name}-1", "most_tokens": most, "charged_tokens": most}
        one = call(at, first_byte_us=TOOK_US, duration_us=TOOK_US, prompt_tokens=20, completion_tokens=0, **fields)
        day.append(replace(one, request_bytes=140))
    return day


def overloaded() -> Snapshot:
    """20,000 tokens a second of which 4 s are waited for, and a tenant with a limit of its own."""
    spaces = [space("team-0", tier="vip"), space("team-1", allowance=Allowance(rpm=60))]
    spaces += [space(f"team-{number}") for number in range(2, 6)]
    return policy(
        replace(provider(tpm=400_000), profile=STRICT),
        namespaces=tuple(spaces),
        defaults=Strategy("", "", deadline_us=4 * SECOND),
    )


def played(day: Sequence[Arrival], snapshot: Snapshot, seed: int) -> list[Outcome]:
    """What becomes of each call."""
    past, ends = Past(day, (snapshot,), seed), dict[int, Outcome]()

    def told(arrival: Arrival, outcome: Outcome) -> None:
        ends[arrival.at_us] = outcome

    Play(snapshot, past, told, seed=seed).play(day)
    return [ends[arrival.at_us] for arrival in day]


def booked(arrival: Arrival, outcome: Outcome) -> Arrival:
    """As the ledger has a call that ended so: of who was refused, what it asked for and no more."""
    if outcome.end == ANSWERED:
        waited = outcome.waited_us + outcome.paused_us
        times = {"first_byte_us": waited + TOOK_US, "duration_us": waited + TOOK_US}
        return replace(arrival, queued_us=outcome.waited_us, waited_us=outcome.paused_us, **times)
    return Arrival(
        arrival.at_us,
        arrival.namespace,
        key=arrival.key,
        plan=arrival.plan,
        model=arrival.model,
        status=429,
        queued_us=outcome.waited_us,
        waited_us=outcome.paused_us,
        request_bytes=arrival.request_bytes,
        most_tokens=arrival.most_tokens,
    )


def test_a_policys_own_ledger_is_foretold_call_by_call() -> None:
    """Whatever is drawn: of a call that stated its `max_tokens` nothing that decides is unknown, refused or not."""
    asked, snapshot = crowd(), overloaded()
    happened = played(asked, snapshot, 0)
    ledger = [booked(arrival, outcome) for arrival, outcome in zip(asked, happened, strict=True)]
    again = played(ledger, snapshot, 1)
    assert [(one.end, one.why, one.waited_us, one.paused_us) for one in again] == [
        (one.end, one.why, one.waited_us, one.paused_us) for one in happened
    ]
    assert sum(one.end == REFUSED for one in happened) > 1_000
    assert sum(one.end == ANSWERED and one.waited_us > SECOND for one in happened) > 50
