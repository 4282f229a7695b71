"""Alerts in the file: what they come to, what is wrong with them, and who never sees them."""

import pytest

from tests.config.conftest import Loads
from tests.config.texts import SMALLEST
from tidegate.config.findings import ConfigError
from tidegate.config.loader import _loaded
from tidegate.config.split import split
from tidegate.model.alert_rules import BUILT_IN_RULES
from tidegate.model.alerts import AlertRoute, AlertRule, AlertSettings, AlertSilence
from tidegate.model.measures import METRICS
from tidegate.model.snapshot import decode, encode

OPS = "channels: {ops: {kind: slack, url: 'https://hooks.slack.com/services/T000/B000/SECRETWORD'}}"
SECOND = 1_000_000


def settings(loads: Loads, *fields: str) -> AlertSettings:
    return loads(f"{SMALLEST}alerts: {{{', '.join(fields)}}}\n").snapshot.alerts


def problems(loads: Loads, *fields: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as told:
        settings(loads, *fields)
    return [(finding.field.removeprefix("alerts."), finding.sentence()) for finding in told.value.findings]


def test_every_gate_has_the_built_in_rules(loads: Loads) -> None:
    """Without the section, and with it; each names a metric that there is."""
    assert loads(SMALLEST).snapshot.alerts == AlertSettings(rules=BUILT_IN_RULES)
    assert settings(loads, OPS).rules == BUILT_IN_RULES
    assert {rule.metric for rule in BUILT_IN_RULES} <= METRICS.keys()


def test_a_rule_of_the_same_name_stands_in_its_place(loads: Loads) -> None:
    """It says only what is other; thresholds are one statement."""
    changed = (
        "queue_wait_ms: {warning: 1000}, limited_seconds: {enabled: false}, slow: {metric: queue_wait_ms, critical: 9}"
    )
    rules = {rule.name: rule for rule in settings(loads, OPS, f"rules: {{{changed}}}").rules}
    assert rules["queue_wait_ms"] == AlertRule("queue_wait_ms", "queue_wait_ms", 1000, None, for_us=30 * SECOND)
    assert (rules["limited_seconds"].enabled, rules["limited_seconds"].critical) == (False, 300)
    assert rules["slow"] == AlertRule("slow", "queue_wait_ms", None, 9)
    assert len(rules) == len(BUILT_IN_RULES) + 1


def test_every_field_arrives(loads: Loads) -> None:
    """In microseconds and thousandths, and over the wire between processes."""
    rule = (
        "r: {metric: queue_wait_ms, warning: 9, critical: 3, below: true, match: {model: gpt-*}, for_seconds: 1.5, "
        "clear_percent: 80, clear_seconds: 2, enabled: false}"
    )
    route = (
        "{channels: [ops], severities: [critical], rules: [r], match: {rule: r}, group_by: [rule, model], "
        "group_wait_seconds: 1, group_interval_seconds: 2, repeat_seconds: 3, escalate_seconds: 4, "
        "escalate_to: [boss], recovery: false}"
    )
    boss = OPS.replace("}}", "}, boss: {kind: slack, url: 'https://hooks.slack.com/services/T1/B1/x'}}")
    silence = "silences: [{match: {model: x}, since: 2026-01-01, until: '2026-01-02T00:00:00Z', why: so}]"
    more = "language: zh, zone: Asia/Shanghai, gate: g, link: 'https://l', look_seconds: 0.5, missing_seconds: 7"
    found = settings(loads, boss, f"rules: {{{rule}}}", f"routes: [{route}]", silence, more, "give_up_seconds: 8")
    assert found.rules[-1] == AlertRule(
        "r", "queue_wait_ms", 9, 3, True, {"model": "gpt-*"}, 1_500_000, 800, 2 * SECOND, False
    )
    assert found.routes == (
        AlertRoute(("ops",), ("critical",), ("r",), {"rule": "r"}, ("rule", "model"), SECOND, 2 * SECOND, 3 * SECOND,
                   4 * SECOND, ("boss",), False),
    )  # fmt: skip
    day = 1_767_225_600 * SECOND  # 2026-01-01T00:00:00Z
    assert found.silences == (AlertSilence({"model": "x"}, day - 8 * 3_600 * SECOND, day + 86_400 * SECOND, "so"),)
    assert (found.language, found.zone, found.gate, found.link) == ("zh", "Asia/Shanghai", "g", "https://l")
    assert (found.look_us, found.missing_us, found.give_up_us) == (500_000, 7 * SECOND, 8 * SECOND)
    snapshot = loads(f"{SMALLEST}alerts: {{{boss}}}\n").snapshot
    assert decode(encode(snapshot)).alerts == snapshot.alerts


@pytest.mark.parametrize(
    ("fields", "field", "words"),
    [
        ("rules: {r: {metric: limited_second, critical: 1}}", "rules.r.metric", "did you mean limited_seconds?"),
        ("rules: {limitd_seconds: {critical: 1}}", "rules.limitd_seconds", "did you mean limited_seconds?"),
        ("rules: {r: {metric: keys_dead}}", "rules.r", "give it a warning or a critical, in numbers"),
        ("rules: {r: {metric: queue_wait_ms}}", "rules.r", "in milliseconds"),
        ("rules: {queue_wait_ms: {warning: 5, critical: 2}}", "rules.queue_wait_ms.critical", "above the other"),
        ("rules: {quota_exhausted_in_seconds: {warning: 5, critical: 9}}", "rules.quota_exhausted_in_seconds.critical",
         "below the other"),
        ("rules: {error_rate_percent: {warning: 500}}", "rules.error_rate_percent.warning", "0.5 is half a per cent"),
        ("rules: {keys_dead: {warning: 0}}", "rules.keys_dead.warning", "never left"),
        ("rules: {keys_dead: {warning: 1, match: {modle: x}}}", "rules.keys_dead.match.modle", "one of provider"),
        ("rules: {jobs_dead_per_hour: {warning: 1, match: {m: x}}}", "rules.jobs_dead_per_hour.match.m", "no labels"),
        ("routes: [{channels: [opz]}]", "routes[0].channels[0]", "did you mean ops?"),
        ("routes: [{channels: [ops], rules: [limited]}]", "routes[0].rules[0]", "no such rule"),
        ("routes: [{channels: [ops], group_by: [modle]}]", "routes[0].group_by[0]", "did you mean model?"),
        ("routes: [{channels: [ops], match: {modle: x}}]", "routes[0].match.modle", "did you mean model?"),
        ("routes: [{channels: [ops], escalate_seconds: 9}]", "routes[0].escalate_seconds", "escalate_to"),
        ("routes: [{channels: [ops], escalate_seconds: 9, escalate_to: [ops]}]", "routes[0].escalate_to[0]",
         "told from the beginning"),
        ("silences: [{match: {modle: x}, since: 2026-01-01, until: 2026-01-02}]", "silences[0].match.modle", "model"),
        ("rules: {keys_dead: {warning: -1}}", "rules.keys_dead.warning", ""),
        ("language: de", "language", ""),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_remedy(loads: Loads, fields: str, field: str, words: str) -> None:
    """At the field, in the words of who wrote it."""
    ((where, sentence),) = problems(loads, OPS, fields)
    assert where == field
    assert words in sentence


def test_a_budget_may_be_used_beyond_itself(loads: Loads) -> None:
    """Other shares may not be above the whole."""
    assert settings(loads, OPS, "rules: {budget_used_percent: {warning: 120}}").rules


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        (("rules: {keys_dead: {warning: 2}}",), "nobody is told: there is no channel"),
        (
            (
                OPS.replace("}}", "}, far: {kind: slack, url: 'https://hooks.slack.com/services/T1/B1/x'}}"),
                "routes: [{channels: [ops]}]",
            ),
            "no route leads here",
        ),
        ((OPS, "silences: [{match: {model: x}, since: 2026-01-02, until: 2026-01-01}]"), "it ends before it begins"),
    ],
)  # fmt: skip
def test_what_has_no_effect_is_said(loads: Loads, fields: tuple[str, ...], words: str) -> None:
    """As a warning."""
    loaded = loads(f"{SMALLEST}alerts: {{{', '.join(fields)}}}\n")
    assert any(words in warning.sentence() for warning in loaded.warnings)


def test_no_worker_knows_who_is_told(loads: Loads) -> None:
    """Neither address nor secret is in what it starts from; the control process has them."""
    snapshot = loads(f"{SMALLEST}alerts: {{{OPS}}}\n").snapshot
    (main,) = split(snapshot)
    loaded = _loaded(snapshot)
    assert b"SECRETWORD" not in encode(main) + loaded.snapshot
    assert b"SECRETWORD" in loaded.whole
    plain = loads(SMALLEST).snapshot
    assert split(plain)[0] is plain
