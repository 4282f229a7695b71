"""Who serves what is forwarded as it is, and routed by no model."""

from typing import Final

from tidegate.edge.intake import Refusal
from tidegate.line.plan import Plan
from tidegate.line.routing_table import RoutingTable
from tidegate.model.errors import ProblemKind
from tidegate.providers.responses.stored import not_stored
from tidegate.wire.exchange import Exchange

_PROVIDER_HEADER: Final = b"x-tidegate-provider"
_STORED: Final = b"/v1/responses/"


def forwarding(book: RoutingTable, exchange: Exchange, dialect: str) -> Plan:
    """The provider that the head names, else the first of the client's dialect, else the first. Raises `Refusal`."""
    unrouted = book.unrouted
    name = exchange.header(_PROVIDER_HEADER)
    if name is None and exchange.path.startswith(_STORED):
        if book.stores is None:
            problem = not_stored(exchange.method, exchange.path)
            raise Refusal(problem.kind, problem.message)
        return book.stores
    if name is None and unrouted:
        return book.first_of.get(dialect) or next(iter(unrouted.values()))
    plan = unrouted.get(name.decode("latin-1")) if name is not None else None
    if plan is None:
        message = f"Unknown provider in x-tidegate-provider. Known: {', '.join(unrouted) or 'none here'}."
        raise Refusal(ProblemKind.BAD_REQUEST, message, "x-tidegate-provider")
    return plan
