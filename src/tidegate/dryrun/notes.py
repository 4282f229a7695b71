"""What a dry run cannot know, said where it matters."""

from collections.abc import Iterator

from tidegate.dryrun.past import Past
from tidegate.model.snapshot import Limits, Snapshot, caches

_TOLD = 5  # names


def notes(new: Snapshot, past: Past, plays: int, *, managed: bool) -> tuple[str, ...]:
    """In sentences."""
    return tuple(_notes(new, past, plays, managed=managed))


def _notes(new: Snapshot, past: Past, plays: int, managed: bool) -> Iterator[str]:
    if plays > 1:
        yield (
            f"Played {plays} times, with calls up to half a millisecond later: figures are means, and ± is how far one "
            "play lies from another (standard deviation). What really happens is one such draw."
        )
    else:
        yield "Played once: how far another draw of the same calls would lie from these figures is not known."
    shapes, troubles, recorded = past.shapes, past.troubles, past.tally
    yield "Calls arrive as they did: a client's retries are calls of their own, and are neither added nor left out."
    if shapes.guessed:
        yield (
            f"{shapes.guessed:,} calls had no answer to take their size and time from; they are taken to be like "
            "answered calls of the same key and plan."
        )
    if past.bodies.returning:
        yield (
            f"Clients of {past.bodies.returning:,} keys come back after a refusal, as the sizes of their calls tell: "
            "they take the places that were kept for them."
        )
    if shapes.strange:
        names = [f"{provider}/{model}" for provider, model in sorted(shapes.strange)]
        more = f" and {len(names) - _TOLD} more" if len(names) > _TOLD else ""
        yield f"{', '.join(names[:_TOLD])}{more} answered no recorded call: taken to be as fast as who answered then."
    if troubles.spells:
        yield f"{troubles.spells:,} spells in which a provider failed are played again, at the same moments."
    if any(limits.rpm + limits.tpm + limits.itpm + limits.otpm == 0 for limits in _limits(new)) or not _limits(new):
        yield "Where the file states no limit of a provider, none is played."
    if recorded.all.ends["hit"] or caches(new):
        yield (
            "A call that the cache answered is answered by it again where the new policy keeps answers for its plan; "
            "what other times to live, scopes or newly kept plans would find is not known."
        )
    if any(one.execution_mode == "async" for one in new.strategies):
        yield "Calls of strategies with `execution_mode: async` are played as if their clients waited for the answer."
    if new.access.address_rpm or new.access.key_rpm:
        yield "Limits by address are not played: the ledger has no addresses."
    if new.access.user_rpm:
        yield "`access.per_user` is not played: each worker's door counts all requests, and the ledger has calls alone."
    if managed:
        yield "Namespaces, users and keys that are managed at run time have the limits that they have now."
    else:
        yield "Keys that the file does not name are taken to have been made at run time; their limits are not known."


def _limits(snapshot: Snapshot) -> list[Limits]:
    return [limits for one in snapshot.providers for scope in one.scopes for limits in scope.limits.values()]
