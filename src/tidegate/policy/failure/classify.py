"""What a provider's refusal means: rows of its profile, first match wins.

A row may state status, error code, error type and a lower-case piece of text; see `provider-semantics` tables in the
profiles. What no row names is classed by its status alone, cautiously. O(rows), only on failures.

| what is out | |
|---|---|
| key | this credential; others of its scope may be good |
| scope | the whole organisation, project or account, for every model |
| model | this scope for this model |
| provider | the provider, whichever scope asks |
| request | nothing: it is about this request alone |
"""

from collections.abc import Sequence
from dataclasses import dataclass

from tidegate.model.outcome import Reason
from tidegate.model.snapshot import RefusalRule


@dataclass(frozen=True, slots=True)
class ProviderError:
    """What the provider said: its status and the fields of its error body ("" where absent)."""

    status: int
    code: str = ""
    type: str = ""
    text: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """What it means: its class, what is out by it (of `profiles.SCOPES`), where the time to come back stands.

    `not_before` is for `policy.not_before`. `known`: a row of the profile says so, not the status alone.
    """

    reason: Reason
    scope: str
    not_before: tuple[str, ...] = ("headers",)
    known: bool = True


_BY_STATUS = {
    401: Reason.AUTH,
    402: Reason.BILLING,
    403: Reason.AUTH,
    408: Reason.TRANSIENT,
    409: Reason.TRANSIENT,
    425: Reason.TRANSIENT,
    429: Reason.RATE,
    498: Reason.CAPACITY,
    503: Reason.OVERLOAD,
    529: Reason.OVERLOAD,
}
_OUT = {
    Reason.AUTH: "key",
    Reason.BILLING: "scope",
    Reason.OVERLOAD: "provider",
    Reason.POLICY: "request",
    Reason.FATAL: "request",
    Reason.TOO_LARGE: "request",
}
_FORBIDDEN = 403


def by_status(status: int) -> Reason:
    """The class of a status that no row explains."""
    if status in _BY_STATUS:
        return _BY_STATUS[status]
    return Reason.FATAL if 400 <= status < 500 else Reason.TRANSIENT


def out_by(reason: Reason, status: int = 0) -> str:
    """What is out by a refusal of this class, where its row does not say. What is forbidden, is to the whole scope."""
    if status == _FORBIDDEN and reason is Reason.AUTH:
        return "scope"
    return _OUT.get(reason, "model")


def verdict(refusal: ProviderError, rules: Sequence[RefusalRule]) -> Verdict:
    """What the first matching row says, else the status."""
    text = refusal.text.lower()
    for rule in rules:
        if (
            (not rule.status or rule.status == refusal.status)
            and (not rule.code or rule.code == refusal.code)
            and (not rule.type or rule.type == refusal.type)
            and (not rule.text or rule.text in text)
        ):
            reason = Reason[rule.reason]
            out = rule.scope or out_by(reason, refusal.status)
            return Verdict(reason, out, rule.not_before or ("headers",))
    reason = by_status(refusal.status)
    return Verdict(reason, out_by(reason, refusal.status), known=False)
