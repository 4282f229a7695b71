"""How a call is recognised as one more of a conversation.

Two digests: the prefix says what its prompt begins with, and so what a provider may have cached; the affinity says
with which calls it belongs together: those of its session where the client names one, else those of its prefix. Both
are a tenant's own and a model's own. Source: governance.md 5 of the design, OpenAI's guide on prompt caching.
"""

from tidegate.model.call import Call
from tidegate.policy.quota.prefixes import prefix_hash
from tidegate.providers import opening


def acquaint(call: Call, session: bytes = b"") -> None:
    """Fill in the call's digests. `session` is what the head names; else the body may."""
    body = call.body
    if not isinstance(body, bytes):
        return
    whose = call.tenant.name.encode(), call.shape.model.encode()
    begins = opening.opening(call.kind, body)
    call.prefix = prefix_hash(*whose, *begins) if begins else 0
    named = session or opening.session(body).encode()
    call.affinity = prefix_hash(*whose, named) if named else call.prefix
