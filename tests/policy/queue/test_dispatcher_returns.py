"""Who comes back when it was told is served, also where many clients share a key."""

from collections.abc import Callable
from itertools import pairwise
from random import Random

import pytest

from tests.policy.queue.crowds import Crowd
from tests.policy.queue.dispatchers import ACME, GLOBEX, SECOND
from tidegate.model.tenant import PAID, Tenant

RPM, TPM, FREE_TPM = 120, 240_000, 10**9
DISCIPLINES = pytest.mark.parametrize("how", ["dynamic", "fifo", "weighted", "round_robin"])
Cost = Callable[[Random], int]


def alike(random: Random) -> int:
    return 2_000


def mixed(random: Random) -> int:
    return random.randint(500, 3_500)


LIMITS = pytest.mark.parametrize(
    ("rpm", "tpm", "cost"), [(RPM, FREE_TPM, alike), (RPM, FREE_TPM, mixed), (0, TPM, alike), (0, TPM, mixed)]
)


@DISCIPLINES
@LIMITS
def test_clients_of_one_key_find_their_places(how: str, rpm: int, tpm: int, cost: Cost) -> None:
    """Thrice the quota is asked for, requests or tokens: nobody is served in a place that was named to another.

    And no quota lies idle for that: a full bucket and ten minutes are used up.
    """
    crowd = Crowd(rpm, tpm, 1, how=how)
    crowd.clients(120, 20, cost)
    assert crowd.play(600) >= 0.99
    assert crowd.came > 500
    assert crowd.sent >= 0.98 * 11 * RPM


@DISCIPLINES
@LIMITS
def test_strangers_find_theirs_whoever_comes_meanwhile(how: str, rpm: int, tpm: int, cost: Cost) -> None:
    """Two and a half times the quota for two minutes, each a client of its own: later and later, but true."""
    crowd = Crowd(rpm, tpm, 2, how=how)
    crowd.strangers(5, 120, cost)
    assert crowd.play(1_000) >= 0.99
    assert crowd.came > 200
    told = crowd.named
    assert sorted(told[-20:])[10] > sorted(told[:20])[10] + 60 * SECOND


@DISCIPLINES
def test_half_of_the_clients_do_not_come_back(how: str) -> None:
    """Their places are held for a while and then anybody's of the tenant; who comes is served, and all quota used."""
    crowd = Crowd(RPM, FREE_TPM, 3, how=how, faithful=0.5)
    crowd.clients(120, 20, alike)
    assert crowd.play(600) >= 0.99
    assert crowd.sent >= 0.98 * 11 * RPM


@DISCIPLINES
def test_several_keys_of_several_clients(how: str) -> None:
    """Four tenants of thirty clients each: all are told the truth."""
    crowd = Crowd(RPM, FREE_TPM, 4, how=how)
    for name in "abcd":
        crowd.clients(30, 20, alike, Tenant(name, PAID))
    assert crowd.play(600) >= 0.99


def test_times_are_as_far_apart_as_the_quota_allows() -> None:
    """Whoever is refused at once with others is told another time, one call's worth of requests later."""
    crowd = Crowd(RPM, FREE_TPM, 5, patience=0)
    for _ in range(RPM + 20):
        crowd._begin(alike, ACME, lambda: None)
    told = sorted(crowd.named)
    assert len(told) == 20
    assert all(0.49 * SECOND <= later - sooner <= 0.51 * SECOND for sooner, later in pairwise(told))


@pytest.mark.parametrize("how", ["dynamic", "weighted", "round_robin"])
def test_places_are_no_gain_for_who_shares_a_key(how: str) -> None:
    """Two tenants with as many clients, of whom one tenant's come back when told and the other's never: equal shares.

    Where all go by arrival nobody has a share.
    """
    crowd = Crowd(0, TPM, 6, how=how, leavers={"globex"})
    crowd.clients(60, 10, alike, ACME)
    crowd.clients(60, 10, alike, GLOBEX)
    crowd.play(600)
    one, other = (crowd.of[name] for name in ("acme", "globex"))
    assert 0.9 < one / other < 1.1


def test_bodies_that_differ_are_served_as_before() -> None:
    """Each try says something else: then a place is anybody's of its tenant, and as many are served as may be."""
    crowd = Crowd(RPM, FREE_TPM, 7, same=False)
    crowd.clients(120, 20, alike)
    assert crowd.play(600) > 0.4
    assert crowd.sent >= 0.98 * 11 * RPM
