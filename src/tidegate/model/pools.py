"""Which pool holds which scope: what no pool names forms the pool of its provider."""

from collections.abc import Sequence

from tidegate.model.snapshot import Pool, Provider


def with_rest(
    pools: Sequence[Pool], providers: Sequence[Provider], scheduler: str = "dynamic", pick: str = "headroom"
) -> tuple[Pool, ...]:
    """`pools` with one more for each provider that has scopes which none of them names; those with `only` first.

    The new pools have their provider's name, and `scheduler` and `pick`. Applied twice it changes nothing.
    O(pools + scopes): for configuration time.
    """
    taken = {(pool.provider, scope) for pool in pools for scope in pool.scopes}
    found = list(pools)
    for provider in providers:
        rest = tuple(scope.name for scope in provider.scopes if (provider.name, scope.name) not in taken)
        if rest:
            found.append(Pool(provider.name, provider.name, rest, scheduler, pick))
    return tuple(sorted(found, key=lambda pool: not pool.only))
