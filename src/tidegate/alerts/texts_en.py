"""Notices in English."""

from typing import Final

from tidegate.alerts.words import Phrase, Words, parts
from tidegate.model.alerts import CRITICAL, ESCALATED, FIRING, REPEATED, RESOLVED, TEST, WARNING, WORSE

_UNITS: Final = {"d": "day", "h": "hour", "min": "minute", "s": "second"}


def _span(seconds: float) -> str:
    return " ".join(f"{count} {_UNITS[unit]}{'' if count == 1 else 's'}" for count, unit in parts(seconds))


def _amount(number: str, unit: str) -> str:
    return f"{number} {unit}" if unit else number


_WAIT: Final = "Calls wait in the queue, or go to the fallback models of their strategy where that is sooner."
_SHARE: Final = "The gate smooths and queues calls, so that the provider need not refuse any."
_BUSY: Final = "Calls are answered; what they write down is kept on disk until it is back."

ENGLISH: Final = Words(
    states={
        FIRING: "[{severity}] ",
        WORSE: "[{severity}, was WARNING] ",
        REPEATED: "[{severity}, still going on] ",
        ESCALATED: "[{severity}, escalated] ",
        RESOLVED: "[RESOLVED] ",
        TEST: "[TEST] ",
    },
    severities={WARNING: "WARNING", CRITICAL: "CRITICAL"},
    phrases={
        "queue_wait_ms": Phrase("{what}: calls wait in the queue", ", {value} on average", _WAIT),
        "token_utilisation_percent": Phrase("{what}: token quota nearly used up", ", {value} in use", _SHARE),
        "request_utilisation_percent": Phrase("{what}: request quota nearly used up", ", {value} in use", _SHARE),
        "error_rate_percent": Phrase(
            "{what}: calls fail", ", {value} of them", "Failed calls are tried again and go to fallback models."
        ),
        "refusal_rate_percent": Phrase(
            "{what}: the gate refuses calls",
            ", {value} of them",
            "What could not be served in time is refused at once, with the time when to come again.",
        ),
        "fallback_rate_percent": Phrase(
            "{what}: calls leave their primary model", ", {value} of them", "Fallback models answer in its place."
        ),
        "limited_seconds": Phrase("{what}: rate-limited", " for {value}", _WAIT),
        "throttled_per_minute": Phrase(
            "{what}: the provider throttles",
            ", {value} refusals (429) a minute",
            "The gate keeps to the limit that it has learnt, and comes again when the provider allows.",
        ),
        "lane_closed_seconds": Phrase(
            "{what}: circuit breaker open",
            " for {value}",
            "One call at a time tries whether it is back; all others wait or go elsewhere.",
        ),
        "keys_dead": Phrase(
            "{what}: keys refused by the provider", ", {value} of them", "The scope's other keys are used."
        ),
        "budget_used_percent": Phrase(
            "{what}: budget nearly used up", ", {value} spent", "When it is used up, the namespace's policy applies."
        ),
        "quota_exhausted_in_seconds": Phrase("{what}: quota about to run out", ", in {value}", _SHARE),
        "journal_behind_bytes": Phrase("{what}: records pile up outside the database", ", {value}", _BUSY),
        "journal_failing_seconds": Phrase(
            "{what}: the journal cannot be written",
            " for {value}",
            "Calls go as `on_journal_failure` says; see whether the disk is full.",
        ),
        "database_down_seconds": Phrase("{what}: database away", " for {value}", _BUSY),
        "shared_state_lost_seconds": Phrase(
            "{what}: shared state lost", " for {value}", "Workers go on as `on_state_loss` says."
        ),
        "worker_restarts": Phrase(
            "{what}: workers keep dying", ", {value} restarts in five minutes", "They are started again."
        ),
        "workers_down": Phrase("{what}: workers do not serve", ", {value} of them", "The others take their calls."),
        "jobs_dead_per_hour": Phrase(
            "{what}: jobs given up", ", {value} in the last hour", "They are kept: run them again when it is mended."
        ),
        "drill_failed": Phrase(
            "{what}: the fallback failed its drill", "", "Whether it is still used, `drills` of the policy says."
        ),
        "drill_expired": Phrase(
            "{what}: the fallback's proof is too old", "", "The drill is run again on its schedule."
        ),
    },
    labels={
        "provider": "provider", "scope": "scope", "model": "model", "pool": "pool", "plan": "strategy",
        "namespace": "namespace", "period": "period", "node": "node", "target": "target",
    },
    test_title="alerts reach this channel",
    test_body="This is a test. Nothing is wrong.",
    others=" (and {count} more)",
    more="… and {count} more",
    lasted="; it lasted {span}",
    over=" (over after {span})",
    threshold="{metric} {value}, threshold {threshold}",
    moment="{moment} ({zone})",
    node="node {name}",
    colon=": ",
    comma=", ",
    gate="Gate",
    metric="Measured",
    since="Since",
    ended="Until",
    where="Where",
    rule="Rule",
    deed="What the gate does",
    link="Open",
    span=_span,
    amount=_amount,
)  # fmt: skip
