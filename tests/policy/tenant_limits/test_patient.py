"""Jobs and conversations under the same limits of their tenant."""

from datetime import UTC

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.entitlements import Allowance, ClientKey, Namespace
from tidegate.policy.tenant_limits.accounts import Accounts
from tidegate.policy.tenant_limits.ask import Ask
from tidegate.policy.tenant_limits.limits import Limits
from tidegate.policy.tenant_limits.patient import room
from tidegate.policy.tenant_limits.reservation import TenantReservation
from tidegate.policy.tenant_limits.short import BUSY, EXHAUSTED, RATE, TOO_LARGE, Short

MINUTE = 60_000_000
LATER = MINUTE + 12_000


def limits(key: dict[str, int], namespace: Allowance | None = None) -> Limits:
    of = Namespace("acme", allowance=namespace or Allowance())
    made = Accounts(lambda _: UTC).limits_of(of, None, ClientKey("ci", b"", allowance=Allowance(**key)), 0)
    assert made is not None
    return made


def ask(tokens: int = 1, least: int = 0) -> Ask:
    return Ask(least, least, tokens - least, None, (), makes=True)


def jobs(made: Limits, most: int = 1_000, tokens: int = 1, now: int = 0) -> list[TenantReservation]:
    """As many as are granted."""
    granted: list[TenantReservation] = []
    while len(granted) < most and isinstance(held := made.grant_job("gpt", ask(tokens), now, 0), TenantReservation):
        granted.append(held)
    return granted


def talks(made: Limits, tokens: int = 1, now: int = 0) -> int:
    """How many conversations are granted then."""
    count = 0
    while count < 1_000 and isinstance(made.grant("gpt", ask(tokens), now, 0), TenantReservation):
        count += 1
    return count


@pytest.mark.parametrize(
    ("key", "tokens", "of_jobs", "of_talks"),
    [
        ({"concurrent": 1}, 1, 1, 0),
        ({"concurrent": 2}, 1, 1, 1),
        ({"concurrent": 3}, 1, 2, 1),
        ({"concurrent": 11}, 1, 9, 2),
        ({"concurrent": 100}, 1, 90, 10),
        ({"rpm": 1}, 1, 1, 0),
        ({"rpm": 2}, 1, 1, 1),
        ({"rpm": 30}, 1, 27, 3),
        ({"rpm": 31}, 1, 27, 4),
        ({"tpm": 1_000}, 10, 90, 10),
        ({"tpm": 1_000}, 200, 4, 1),
        ({"tpm": 1_000}, 300, 2, 1),
        ({"tpm": 1_000}, 700, 1, 0),
        ({"tpm": 1_000}, 950, 1, 0),
        ({"tokens_day": 1_000}, 100, 10, 0),
        ({"rpm": 30, "concurrent": 5}, 1, 4, 1),
    ],
)
def test_jobs_leave_room_for_conversations(key: dict[str, int], tokens: int, of_jobs: int, of_talks: int) -> None:
    """However many come, some conversations go; a limit that is too small for both is the first one's."""
    made = limits(key)
    assert len(jobs(made, tokens=tokens)) == of_jobs
    assert talks(made, tokens) == of_talks


@pytest.mark.parametrize("key", [{"concurrent": 5}, {"rpm": 5}, {"tpm": 50}])
def test_what_others_of_the_tenant_leave_is_counted(key: dict[str, int]) -> None:
    """Limits of the namespace hold jobs back as those of the key do; nothing is charged to either."""
    made = limits({"rpm": 1_000}, Allowance(**key))
    granted = len(jobs(made, tokens=10))
    assert granted == 4
    assert [account.running for account in made.accounts("gpt")] == [granted, granted]
    short = made.grant_job("gpt", ask(10), 0, 0)
    assert isinstance(short, Short)
    assert short.who == ("acme", "", "", "")


@pytest.mark.parametrize(("limit", "spoken", "of_jobs"), [(30, 0, 27), (30, 10, 17), (30, 26, 1), (30, 27, 0)])
def test_what_conversations_leave_is_the_jobs(limit: int, spoken: int, of_jobs: int) -> None:
    """A job goes beside them as long as the room stays free."""
    made = limits({"rpm": limit})
    for _ in range(spoken):
        assert isinstance(made.grant("gpt", ask(), 0, 0), TenantReservation)
    assert len(jobs(made)) == of_jobs


@pytest.mark.parametrize(("key", "tokens"), [({"rpm": 1}, 1), ({"rpm": 30}, 1), ({"tpm": 100}, 10), ({"tpm": 100}, 99)])
def test_the_time_that_is_told_is_exact(key: dict[str, int], tokens: int) -> None:
    """Not before, and then indeed."""
    made = limits(key)
    assert jobs(made, 3, tokens)
    jobs(made, tokens=tokens, now=MINUTE // 2)
    short = made.grant_job("gpt", ask(tokens), MINUTE // 2, 0)
    assert isinstance(short, Short)
    assert short.kind == RATE
    assert short.what.endswith(" for jobs")
    again = MINUTE // 2 + short.wait_us
    assert again <= MINUTE // 2 + LATER
    assert not jobs(made, tokens=tokens, now=again - 1)
    assert jobs(made, 1, tokens, again)


def test_a_place_that_is_given_back_is_the_next_ones() -> None:
    """It is told about when; a conversation needs no place of a job to be given back first."""
    made = limits({"concurrent": 2})
    (held,) = jobs(made)
    short = made.grant_job("gpt", ask(), 0, 0)
    assert isinstance(short, Short)
    assert (short.kind, short.what, short.wait_us > 0) == (BUSY, "limit of calls at a time for jobs", True)
    assert talks(made) == 1
    held.settle(1, 0, 1, 0, sent=True)
    assert not jobs(made)
    assert talks(made) == 1


@pytest.mark.parametrize(
    ("key", "tokens", "least", "kind"),
    [({"tpm": 100}, 200, 101, TOO_LARGE), ({"rpm": 1, "tokens_day": 10}, 20, 11, TOO_LARGE), ({"tpm": 100}, 200, 5, 0)],
)
def test_a_job_is_told_that_it_is_too_large_as_anybody_is(
    key: dict[str, int], tokens: int, least: int, kind: int
) -> None:
    """By what it costs at least; an estimate alone makes it wait for an empty minute."""
    came = limits(key).grant_job("gpt", ask(tokens, least), 0, 0)
    assert (came.kind if isinstance(came, Short) else 0) == kind


def test_a_budget_that_is_used_up_is_told_before_a_full_minute() -> None:
    """The worst of all is told."""
    made = limits({"rpm": 2, "tokens_day": 10})
    (held,) = jobs(made, tokens=10)
    held.settle(10, 0, 0, 0, sent=True)
    short = made.grant_job("gpt", ask(2, 2), 0, 0)
    assert isinstance(short, Short)
    assert short.kind == EXHAUSTED


def test_where_nothing_applies_nothing_is_held() -> None:
    """Of a model without limits."""
    made = Accounts(lambda _: UTC).limits_of(
        Namespace("acme", by_model={"gpt": Allowance(rpm=1)}), None, ClientKey("ci", b""), 0
    )
    assert made is not None
    assert made.grant_job("other", ask(), 0, 0) is None


@given(limit=st.integers(1, 10_000), cost=st.integers(0, 20_000))
def test_the_room(limit: int, cost: int) -> None:
    """A tenth at least, a quarter at most where that is anything, and never nothing."""
    assert max(1, limit / 10) <= room(limit, cost) <= max(1, limit / 4 + 1)


@given(
    rpm=st.integers(1, 12), tpm=st.integers(1, 300), concurrent=st.integers(1, 6),
    calls=st.lists(st.tuples(st.booleans(), st.integers(1, 400), st.integers(0, MINUTE)), max_size=40),
)  # fmt: skip
def test_jobs_are_never_starved_by_the_room(
    rpm: int, tpm: int, concurrent: int, calls: list[tuple[bool, int, int]]
) -> None:
    """Whatever came before: when nothing is held any more, every job that could ever go goes."""
    made, now, held = limits({"rpm": rpm, "tpm": tpm, "concurrent": concurrent}), 0, list[TenantReservation]()
    for patient, tokens, by in calls:
        now += by
        got = (made.grant_job if patient else made.grant)("gpt", ask(tokens), now, 0)
        if isinstance(got, TenantReservation):
            held.append(got)
        elif held:
            held.pop(0).settle(tokens, 0, now, 0, sent=True)
    for one in held:
        one.settle(1, 0, now, 0, sent=True)
    assert isinstance(made.grant_job("gpt", ask(400), now + 2 * LATER, 0), TenantReservation)
