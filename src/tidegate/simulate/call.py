"""A call as the simulation follows it, from its client's wish to its one end."""

from tidegate.model.tenant import Tenant
from tidegate.simulate.arrivals import Arrival
from tidegate.simulate.tenants import Party


class Call:
    """One wish of one client, however often it is asked. Times are microseconds, `named` = -1: it was told no time."""

    __slots__ = (
        "arrived",
        "asked",
        "attempts",
        "body",
        "deadline",
        "most",
        "named",
        "number",
        "output",
        "party",
        "prompt",
        "returned",
        "tenant",
        "tokens",
        "tries",
    )

    def __init__(self, arrival: Arrival, tokens: int) -> None:
        self.asked = self.arrived = arrival.at
        self.party: Party = arrival.party
        self.number = arrival.party.first + arrival.tenant
        self.tenant: Tenant = arrival.party.tenants[arrival.tenant]
        self.deadline = arrival.at + arrival.party.deadline_us
        self.prompt = arrival.prompt
        self.output = arrival.output
        self.most = arrival.most
        self.tokens = tokens  # what the provider charges for it in the end
        self.body = b"%d/%d" % (self.number, arrival.at)  # nobody else says the same
        self.tries = 1  # by the client
        self.attempts = 0  # at providers, since it last arrived
        self.named = -1
        self.returned = False  # it came back within a second of the time that it was told
