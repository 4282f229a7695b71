"""How many places one tenant may have, so that a dead provider of his does not hold up others.

A tenant takes another place only while he has fewer than three for each that stays free behind it (a "dynamic
threshold": Choudhury and Hahne, IEEE/ACM Transactions on Networking 6(2), 1998). So of k tenants who hold theirs for
long each comes to 3 / (3k + 1) of the places, and the rest is free for who has none. Pure. O(1).
"""

from typing import Final

_EACH: Final = 3  # places of one tenant for each that stays free


def places(concurrency: int) -> int:
    """Places in all, where a tenant who is alone is to have `concurrency`: a third more."""
    return concurrency + -(-concurrency // _EACH)


def may_take(held: int, free: int) -> bool:
    """Whether who holds so many may have one of those that are free."""
    return free > 0 and held < most_held(free)


def most_held(free: int) -> int:
    """Who holds as many, or more, may have none of those that are free. At least 1."""
    return max(1, _EACH * (free - 1))
