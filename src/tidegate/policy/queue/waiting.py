"""The ticket of a call that waits at a dispatcher."""

from tidegate.model.story import LaneSeen
from tidegate.model.tenant import Tenant
from tidegate.policy.quota.charge import Charge
from tidegate.policy.schedule.face import Ticket


class Waiting(Ticket):
    """A call that waits here. `give_up_at` is when it loses patience; `elsewhere` = it has other targets."""

    __slots__ = ("affinity", "body", "charge", "elsewhere", "give_up_at", "owner", "reviewed", "seen")

    def __init__(
        self,
        tenant: Tenant,
        charge: Charge,
        arrived: int,
        give_up_at: int,
        *,
        affinity: int = 0,
        elsewhere: bool = False,
        ctx: object = None,
        body: object = None,
    ) -> None:
        """`body`: what it says, by which it is known when it comes again."""
        super().__init__(tenant, charge.tokens if charge.tokens > 0 else 1, arrived, ctx)
        self.owner = tenant  # `tenant` may be the claim by which it is served first
        self.charge = charge
        self.body = body
        self.give_up_at = give_up_at
        self.affinity = affinity
        self.reviewed = 0  # in which round of its queue's review it was looked at
        self.elsewhere = elsewhere
        self.seen: tuple[LaneSeen, ...] = ()  # when its turn came, where there were several lanes
