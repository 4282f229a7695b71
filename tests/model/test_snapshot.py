"""The snapshot on its way between processes."""

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.model.snapshot import (
    ClientKey,
    DegradeStep,
    Limits,
    ModelEntry,
    Namespace,
    Pool,
    Profile,
    Provider,
    RateLimitPolicy,
    RefusalRule,
    RetryPolicy,
    Scope,
    Share,
    Snapshot,
    Strategy,
    TierEntry,
    decode,
    encode,
)

PROFILE = Profile(
    name="openai",
    dialect="openai",
    dated="2026-11-01",
    source="test",
    refusals=(RefusalRule("RATE", status=429, scope="model", not_before=("headers", "text")),),
    paths={"chat": "/deployments/{model}/chat/completions"},
    adds=(("anthropic-version", "2023-06-01"),),
)
NAMES = st.text(min_size=1, max_size=10)
LIMITS = st.builds(Limits, *[st.integers(0, 10**12)] * 4)
SCOPES = st.builds(Scope, NAMES, st.tuples(NAMES), st.dictionaries(NAMES, LIMITS, max_size=3))
PROVIDERS = st.builds(
    Provider,
    name=NAMES,
    base_url=st.just("http://127.0.0.1:9100/v1"),
    profile=st.just(PROFILE),
    scopes=st.tuples(SCOPES),
    models=st.dictionaries(
        NAMES, st.builds(ModelEntry, st.booleans(), st.booleans(), st.integers(0, 10**7)), max_size=3
    ),
)
STRATEGIES = st.builds(
    Strategy,
    name=NAMES,
    primary_model=NAMES,
    fallback_models=st.lists(NAMES, max_size=3).map(tuple),
    rate_limit=st.builds(RateLimitPolicy, max_tpm=st.integers(0, 10**12)),
    retry=st.builds(RetryPolicy, max_retries=st.integers(0, 100)),
    degrade=st.lists(st.builds(DegradeStep, NAMES, st.tuples(NAMES)), max_size=2).map(tuple),
)
CLIENTS = st.lists(st.builds(ClientKey, NAMES, st.binary(min_size=32, max_size=32)), max_size=2).map(tuple)
SHARES = st.lists(st.builds(Share, NAMES, st.integers(1, 1_000)), max_size=2).map(tuple)
SNAPSHOTS = st.builds(
    Snapshot,
    version=st.integers(1, 10**6),
    providers=st.lists(PROVIDERS, max_size=3).map(tuple),
    strategies=st.lists(STRATEGIES, max_size=3).map(tuple),
    clients=CLIENTS,
    tiers=st.lists(st.builds(TierEntry, NAMES, st.integers(0, 51)), max_size=2).map(tuple),
    namespaces=st.lists(st.builds(Namespace, NAMES, NAMES, clients=CLIENTS), max_size=2).map(tuple),
    pools=st.lists(st.builds(Pool, NAMES, NAMES, st.tuples(NAMES), shares=SHARES), max_size=2).map(tuple),
)


@given(SNAPSHOTS)
def test_it_arrives_as_it_left(snapshot: Snapshot) -> None:
    """Encoded and decoded it is the same, field for field."""
    assert decode(encode(snapshot)) == snapshot


def test_the_defaults_are_the_missions_and_the_issues() -> None:
    """Three failed attempts, doubled waits, 100 ms from 85 %, 45 s of patience, two minutes in all."""
    strategy = Strategy("s", "m")
    assert (strategy.retry.max_retries, strategy.retry.multiplier_milli, strategy.retry.jitter) == (3, 2_000, True)
    assert (strategy.smoothing.threshold_permille, strategy.smoothing.delay_us) == (850, 100_000)
    assert (strategy.fallback_after_us, strategy.deadline_us) == (45_000_000, 120_000_000)
    assert Limits() == Limits(0, 0)


def test_a_snapshot_cannot_be_changed() -> None:
    """Whoever holds one holds it as it was loaded."""
    with pytest.raises(AttributeError):
        Snapshot(1, ()).version = 2


@pytest.mark.parametrize(
    "data", [b"", b"\xc1", b"\x80", msgspec.msgpack.encode({"version": 1, "providers": [], "from_a_later_version": 1})]
)
def test_what_does_not_fit_this_version_is_refused(data: bytes) -> None:
    """An unknown field is no detail to be overlooked."""
    with pytest.raises(msgspec.DecodeError):
        decode(data)
