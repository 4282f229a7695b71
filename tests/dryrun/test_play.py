"""Yesterday's calls through a policy: the gate's own line decides, in virtual time."""

import random

from msgspec.structs import replace

from tests.dryrun.days import SECOND, call, play, policy, provider, refused, space
from tidegate.dryrun.run import dry_run
from tidegate.model.arrivals import Arrival, Asked
from tidegate.model.caching import Caching
from tidegate.model.directory import PutNamespace, PutUser
from tidegate.model.entitlements import AddressLimits, Allowance, Namespace, User
from tidegate.model.pools import with_rest
from tidegate.model.snapshot import DegradeStep, Isolation, Pool, RateLimitPolicy, Scope, Strategy, StreamPolicy


def test_a_policy_without_limits_changes_nothing() -> None:
    """Calls, tokens and cost stay what they were, streamed or not."""
    day = [call(n, streamed=bool(n % 2)) for n in range(50)]
    found = play(day, policy()).all
    assert found.before == found.after
    assert (found.after.answered, found.after.prompt_tokens, found.after.cost_nano) == (50, 5_000, 50 * 200)


def test_the_providers_quota_queues_and_refuses() -> None:
    """Sixty a minute: of 180 calls in a second, those that can be served within the deadline wait for it."""
    day = [call(n / 180) for n in range(180)]
    found = play(day, policy(provider(rpm=60)))
    after = found.all.after
    assert (after.answered, after.refused, after.throttled) == (60, 120, 0)
    assert after.refusals == {"over_quota": 120}
    assert found.findings[0].rule == "quota of openai/gpt-4o"
    assert (found.findings[0].calls, found.findings[0].answered) == (120, 120)
    patient = policy(provider(rpm=60), defaults=Strategy("", "", deadline_us=90 * SECOND))
    waited = play(day, patient).all.after
    assert (waited.answered, waited.queued) == (120, 60)
    assert 59_000 < waited.wait_p99_ms < 61_000


def test_a_clients_own_deadline_is_played() -> None:
    """Who has stated one waits so long, whatever the policy says for the others."""
    patient, hasty = (
        play([call(n / 180, deadline_us=deadline if n % 2 else 0) for n in range(180)], policy(provider(rpm=60)))
        for deadline in (110 * SECOND, 5 * SECOND)
    )
    assert patient.all.after.queued > hasty.all.after.queued
    assert patient.all.after.refused < hasty.all.after.refused


def test_a_looser_policy_serves_who_was_refused() -> None:
    """A refused call is an arrival too, and its like says how large it is."""
    day = [call(n) if n % 2 else refused(n) for n in range(40)]
    report = play(day, policy())
    assert (report.all.before.refused, report.all.after.refused) == (20, 0)
    assert report.all.after.prompt_tokens == 2 * report.all.before.prompt_tokens
    assert report.recorded.refusals == {"over_quota": 20}
    assert any("20 calls had no answer" in note for note in report.notes)


def test_tenants_limits_say_whose_they_are() -> None:
    """By the namespace's own rule, from when to when; others are not touched."""
    day = [call(n / 10, namespace=name, key=f"{name}-1") for n in range(100) for name in ("a", "b")]
    spaces = space("a", allowance=Allowance(rpm=60)), space("b")
    report = play(day, policy(namespaces=spaces))
    rules = {(one.rule, one.namespace, one.why) for one in report.findings}
    assert rules == {("limit of requests a minute of namespace 'a'", "a", "tenant_limit")}
    groups = {group.name: group.after for group in report.groups if group.by == "namespace"}
    assert groups["b"].refused == 0
    assert 0 < groups["a"].refused < 100


def test_the_doors_bounds_are_not_played_and_it_says_so() -> None:
    """Those of addresses and those of users; a policy without them is told nothing of it."""
    day = [call(n) for n in range(10)]
    bounds = AddressLimits(user_rpm=1), AddressLimits(address_rpm=1), AddressLimits(key_rpm=1), AddressLimits()
    reports = [play(day, policy(provider(), access=access)) for access in bounds]
    assert [report.all.after.answered for report in reports] == [10] * 4
    told = [[note for note in report.notes if "per_user" in note or "address" in note] for report in reports]
    assert ["per_user" in notes[0] for notes in told[:3]] == [True, False, False]
    assert [len(notes) for notes in told] == [1, 1, 1, 0]


def test_who_may_not_use_a_model_is_refused() -> None:
    """And who asks for one that nobody serves any more, or shows a key that the file has no more."""
    day = [call(0, namespace="a", key="a-1"), call(1, namespace="b", key="b-1", model="gone", plan="gone")]
    two = (provider(), provider("azure", "other"))
    narrow = policy(*two, namespaces=(space("a", models=("other",)), space("b")))
    assert play(day, narrow).all.after.refusals == {"model_not_allowed": 1, "unknown_model": 1}
    without = policy(namespaces=(space("b"),))
    assert play(day[:1], without, against=narrow).all.after.refusals == {"unauthenticated": 1}
    assert play(day[:1], without).all.after.answered == 1  # it may have been made at run time


def test_a_key_that_is_gone_by_now_has_its_users_limits() -> None:
    """What is managed at run time stands beside the file: also for keys that were revoked since."""
    managed = PutNamespace(Namespace("a")), PutUser("a", User("ann", allowance=Allowance(rpm=2)))
    day = [call(n / 10, namespace="a", key="a-old", user="ann") for n in range(5)]
    report = dry_run(day, policy(), managed=managed)
    assert report.all.after.refusals == {"tenant_limit": 3}
    assert report.findings[0].rule == "limit of requests a minute of user 'ann'"


def test_calls_without_a_key() -> None:
    """Are let in by a policy without keys only; the gate's own drills by any, in the last tier."""
    day = [call(0), call(1, namespace="drill", tier="batch")]
    assert play(day, policy()).all.after.answered == 2
    assert play(day, policy(namespaces=(space("a"),))).all.after.refusals == {"unauthenticated": 1}


def test_jobs_are_of_the_last_tier() -> None:
    """As the line has them, whosever they are: a conversation of the same tenant goes before."""
    day = [call(0, namespace="a", key="a-1", job="job_1#1") for _ in range(3)]
    day += [call(0.1, namespace="a", key="a-1") for _ in range(3)]
    found = play(day, policy(namespaces=(space("a"),)))
    assert (found.all.after.answered, found.unmatched) == (6, ())


def test_calls_move_and_are_degraded_as_the_plan_says() -> None:
    """To a fallback where the primary is full, else down the ladder; moved and degraded calls are counted."""
    both = (provider(rpm=10), provider("azure", "small"))
    day = [call(n / 10, model="chat", plan="chat", most_tokens=500) for n in range(50)]
    chain = Strategy("chat", "gpt-4o", ("small",), deadline_us=5 * SECOND)
    found = play(day, policy(*both, strategies=(chain,))).all.after
    assert (found.answered, found.moved, found.degraded) == (50, 40, 0)
    step = DegradeStep("model", ("paid",), model="small")
    ladder = Strategy("chat", "gpt-4o", deadline_us=5 * SECOND, degrade=(step,))
    found = play(day, policy(*both, strategies=(ladder,))).all.after
    assert (found.answered, found.moved, found.degraded) == (50, 40, 40)


def test_a_strategys_own_limit_is_named() -> None:
    """It is the strategy's rule that refuses, not the provider's quota."""
    day = [call(n / 50, model="chat", plan="chat") for n in range(50)]
    bound = Strategy("chat", "gpt-4o", rate_limit=RateLimitPolicy(max_rpm=10), deadline_us=SECOND)
    report = play(day, policy(provider(rpm=1_000), strategies=(bound,)))
    assert {one.rule for one in report.findings} == {"rate_limit of strategy 'chat'"}


def test_the_cache_answers_what_it_answered_where_it_still_may() -> None:
    """Where the new policy keeps nothing for the plan, its calls are made."""
    day = [call(n, hit="exact", attempts=0, charged_tokens=0) for n in range(5)]
    keeps = policy(defaults=Strategy("", "", caching=Caching(enabled=True)))
    assert play(day, keeps).all.after.hits == 5
    made = play(day, policy()).all.after
    assert (made.hits, made.answered, made.prompt_tokens) == (0, 5, 500)


def test_a_spell_of_failures_meets_the_new_policy_too() -> None:
    """Without a fallback its calls fail again; with one they are answered there."""

    def down(second: float) -> Arrival:
        tries = (Asked("openai", "main", "gpt-4o", 0, 1, 503, "overload"),)
        return call(second, provider="", served="", status=503, prompt_tokens=0, tries=tries)

    day = [call(n) for n in range(10)] + [down(n) for n in range(10, 40)] + [call(n) for n in range(40, 50)]
    alone = play(day, policy()).all
    assert alone.before.failed == 30
    assert alone.after.failed + alone.after.refused >= 25
    both = provider(), provider("azure", "small")
    chain = policy(*both, strategies=(Strategy("x", "gpt-4o", ("small",), deadline_us=5 * SECOND),))
    assert play(day, chain).all.after.answered >= 48


def test_clients_leave_when_they_left() -> None:
    """Before the answer is complete; what the provider has made by then is billed."""
    day = [call(n, status=499, duration_us=700_000, streamed=bool(n % 2)) for n in range(6)] + [call(6)]
    for what in ("cancel", "drain"):
        rules = Strategy("", "", deadline_us=5 * SECOND, streams=StreamPolicy(on_disconnect=what))
        found = play(day, policy(defaults=rules)).all.after
        assert (found.calls, found.left + found.answered) == (7, 7)
        assert found.left >= 3
        assert found.cost_nano > 200


def test_an_isolated_namespace_has_its_own_scopes() -> None:
    """Its calls draw on its own pool, whatever the others do."""
    own = Scope("own", ("sk-own",), provider(rpm=5).scopes[0].limits)
    with_own = replace(provider(rpm=5), scopes=(*provider(rpm=5).scopes, own))
    kept = Pool("kept", "openai", ("own",), only=("alone",))
    every = with_rest((kept,), (with_own,))
    shut = policy(with_own, pools=every, namespaces=(space("alone"), space("b")), isolated=(Isolation("alone", 9),))
    day = [call(n / 10, namespace=name, key=f"{name}-1") for n in range(5) for name in ("alone", "b")]
    found = play(day, shut)
    assert found.all.after.answered == 10
    assert not [one for one in found.unmatched if one.kind in {"pool", "scope"}]


def test_the_same_seed_plays_the_same() -> None:
    """Whatever is drawn."""
    chance = random.Random(3)
    day = [call(n / 20, prompt_tokens=chance.randint(1, 2_000), streamed=chance.random() < 0.5) for n in range(400)]
    tight = policy(provider(rpm=300, tpm=100_000))
    assert play(day, tight) == play(day, tight)


def test_two_policies_side_by_side() -> None:
    """Both are played; what was recorded stays to be seen."""
    day = [call(n / 180) for n in range(180)]
    report = play(day, policy(provider(rpm=120)), against=policy(provider(rpm=60)))
    assert (report.before, report.all.before.refused, report.all.after.refused) == ("current", 120, 60)
    assert report.recorded.refused == 0
