"""A cache's answer as a span: a server's, as that of a call, without attempts. Pure.

A stale answer stood in for a call that was made, and that call's own span tells of it: there is no second one.
"""

from typing import Final

from tidegate.model import trace
from tidegate.model.facts import Hit
from tidegate.tracing import names
from tidegate.tracing.spans import Span, Value, trace_of

_ANSWERED: Final = 200


def span_of(hit: Hit, journal: str) -> Span:
    """Its span; `journal` is the identity of the journal that it stands in."""
    operation = names.OPERATIONS.get(hit.kind, names.UNKNOWN)
    every: dict[str, Value] = {
        names.OPERATION: operation,
        names.PROVIDER: names.GATE,
        names.REQUEST_MODEL: hit.asked,
        names.REQUEST_STREAM: hit.streamed,
        names.RESPONSE_MODEL: hit.model.partition("/")[2],
        names.NAMESPACE: hit.tenant,
        names.USER: hit.user,
        names.KEY: hit.client,
        names.TIER: hit.tier,
        names.PLAN: hit.plan,
        names.TAG: hit.tag,
        names.CACHE: hit.layer,
        names.CACHE_SOURCE: str(hit.source),
        names.CACHE_AGE: hit.age_us / 1e6,
        names.CACHE_ALIKE: hit.similarity_permille / 1_000,
    }
    told = {name: value for name, value in every.items() if value not in ("", 0, False)}
    told = {**told, names.STATUS_CODE: _ANSWERED, names.CALL: str(hit.call_id)}
    own, begin = trace.span(hit.call_id, 0), hit.at_us - hit.duration_us
    name = f"{operation} {hit.asked}".strip()
    return Span(name, trace_of(hit, journal), own, trace.parent(hit.trace), True, begin, hit.at_us, "", told)
