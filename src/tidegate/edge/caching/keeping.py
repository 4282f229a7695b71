"""From an answer that was made to the entry that is kept of it, or to the reason why none is."""

from tidegate.edge.caching.flights import Flight
from tidegate.model.cached import CacheEntry, Labels
from tidegate.policy.caching.canonical import key


def unkept(flight: Flight) -> str:
    """Why an answer is not kept, whatever it says; "" = it may be."""
    call = flight.request.call
    if flight.status != 200 or not flight.target:
        return "error"
    if flight.spoilt or flight.aborted:
        return "cut"
    if not flight.complete or flight.said > flight.wanted.terms.max_bytes:
        return "large"
    return "degraded" if call.degraded else "dropped" if call.dropped else ""


def entry_of(flight: Flight, body: bytes, labels: Labels, wall: int) -> CacheEntry:
    """Kept under the name of the model that answered, which need not be the one that was asked first."""
    wanted, call = flight.wanted, flight.request.call
    model, name = labels.model, wanted.key
    if model != wanted.model:
        name = key(wanted.base, wanted.scope, wanted.kind, wanted.path, model)
    fresh_until = wall + wanted.ttl_us
    return CacheEntry(
        name,
        wanted.kind.name.lower(),
        call.dialect,
        body,
        wanted.streamed,
        tuple(flight.beats),
        labels,
        flight.cost,
        call.id,
        wall,
        fresh_until,
        fresh_until + wanted.terms.stale_us,
    )


def model_of(target: str) -> str:
    """The provider and model of `provider/scope/model`."""
    provider, _, rest = target.partition("/")
    return f"{provider}/{rest.partition('/')[2]}"
