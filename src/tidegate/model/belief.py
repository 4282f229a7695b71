"""What the gate believes of one dimension of a quota, and why: to be shown, and to be remembered over a restart."""

import msgspec


class Belief(msgspec.Struct, frozen=True, array_like=True, gc=False):
    """Requests or tokens a minute; 0 = none, unknown. Fields may be added at the end, never moved."""

    shown: int = 0  # the limit that the provider's headers show
    learnt: int = 0  # the limit that its refusals taught
    trust: int = 500  # in its headers, in thousandths
    others: int = 0  # what others spend of it
    limit: int = 0  # what is kept to
    source: str = ""  # configured | headers | refusals, "" = no limit
