"""Every shipped scenario, cut short: what must hold whatever is in it."""

import pytest
from msgspec.structs import replace

from tests.simulate.scenes import ended, play, short
from tidegate.simulate.reader import shipped
from tidegate.simulate.run import Run
from tidegate.simulate.scenario import DISCIPLINES, Discipline

SHORT = {
    "618-peak": 20, "account-loss": 20, "flood": 12, "free-wave": 12, "patient": 20, "quota-halved": 20,
    "retry-storm": 20, "sharded": 3, "trace": 20,
}  # fmt: skip


def test_every_shipped_scenario_is_tried() -> None:
    """Whoever ships another one adds its short form."""
    assert set(SHORT) == set(shipped())


@pytest.mark.parametrize("name", sorted(SHORT))
def test_every_call_ends_exactly_once_and_no_429_was_avoidable(name: str) -> None:
    """Whatever fails: none is lost, none ends twice, and the gate's mirrors never let go too much."""
    run = Run(short(name, SHORT[name], load=0.05 if name == "sharded" else 1), "dynamic", 1)
    report = run.play()
    assert report.asked > 50
    assert ended(report) == report.asked
    assert run.tally.open == 0
    assert sum(group.asked for group in report.groups) == report.asked
    assert report.avoidable == 0
    assert report.use < 1.05


@pytest.mark.parametrize("scheduler", DISCIPLINES)
def test_the_same_seed_gives_the_same_figures(scheduler: Discipline) -> None:
    """To the last digit, over time too; another seed gives others, and all schedulers meet the same calls."""
    scene = short("retry-storm", 8)
    once = play(scene, scheduler)
    assert play(scene, scheduler) == once
    assert play(scene, scheduler, seed=2) != once
    assert play(scene, "fifo").asked == once.asked


def test_a_flood_is_kept_to_its_share() -> None:
    """Nobody is refused here: of any two that wait, over every interval, the gap is at most three largest calls."""
    scene = short("flood", 12, patience_s=600)
    dynamic, fifo = play(scene), play(scene, "fifo")
    assert dynamic.gap_calls <= 3
    assert fifo.gap_calls > 10 * dynamic.gap_calls
    assert dynamic.jain > 0.9  # each of the steady ones is served but five or six calls here
    assert fifo.jain < 0.7
    flood, steady, rare = dynamic.groups
    assert rare.wait_p99_s < steady.wait_p99_s < flood.wait_p99_s


def test_vip_does_not_wait_for_a_wave_of_free_calls() -> None:
    """Strict tiers with trunk reservation: while free calls wait for seconds, vip passes."""
    vip, _, free = play(short("free-wave", 15, patience_s=600)).groups
    assert vip.answered == vip.asked
    assert vip.wait_p99_s <= 0.065
    assert free.wait_p50_s > 1


def test_batch_work_has_its_floor_and_conversations_wait_no_longer() -> None:
    """At three times the quota: all of it is served, behind conversations, and no quota is lost.

    It takes a twentieth of the tokens; how many conversations that is depends on whose calls are large.
    """
    scene = short("patient", 180)
    with_batch, without = play(scene), play(replace(scene, tenants=scene.tenants[:1]))
    chat, batch = with_batch.groups
    assert batch.answered == batch.asked > 80
    assert batch.wait_p50_s > 30
    assert chat.wait_p99_s <= 1.1 * without.groups[0].wait_p99_s
    assert chat.answered >= 0.92 * without.groups[0].answered
    assert min(with_batch.use, without.use) >= 0.99
    assert with_batch.avoidable == 0


def test_conversations_below_the_quota_hardly_feel_batch_work() -> None:
    """Patient calls fill what is left and leave room for bursts."""
    scene = short("patient", 150, load=0.3)
    chat, batch = scene.tenants
    flood = replace(batch, pattern=replace(batch.pattern, rate=10))
    pool = replace(scene.pool, drained=False, scopes=tuple(replace(one, tpm=250_000) for one in scene.pool.scopes))
    report = play(replace(scene, pool=pool, tenants=(chat, flood)))
    assert report.groups[0].answered == report.groups[0].asked
    assert report.groups[0].wait_p99_s < 0.1
    assert report.use >= 0.99


def test_deadlines_pass_while_a_shard_has_no_owner() -> None:
    """Who waited with the dead owner, and has no time left when there is another, ends once like everybody else."""
    scene = short("sharded", 6, patience_s=1.5, load=0.05)
    assert scene.shards is not None
    report = play(replace(scene, shards=replace(scene.shards, notice_ms=1_900)))
    assert report.handovers[0].calls > 0
    assert report.expired > 0
    assert ended(report) == report.asked


def test_the_death_of_an_owner_loses_no_call() -> None:
    """Its shards go to others with all that waited, it gets its own back, and fairness holds all the while."""
    report = play(short("sharded", 6, load=0.05))
    gone, back = report.handovers
    assert ended(report) == report.asked
    assert report.avoidable == 0
    assert gone.owner == back.owner == "owner-3"
    assert 0 < gone.lost <= 5
    assert gone.moved <= gone.lost
    assert sum(owner.shards for owner in report.owners) == sum(owner.shards_after for owner in report.owners) == 32
    assert [owner.shards for owner in report.owners] == [owner.shards_after for owner in report.owners]
    assert all(owner.decisions for owner in report.owners)
