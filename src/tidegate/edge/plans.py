"""From who asks for what to a call, and the plan by which it is served."""

from typing import Final

from tidegate.edge import intake, tracing
from tidegate.edge.access.rights import ELSEWHERE, not_allowed
from tidegate.edge.intake import PASS, Caller, Refusal
from tidegate.edge.unrouted import forwarding
from tidegate.line.acquaint import acquaint
from tidegate.line.plan import Plan
from tidegate.line.routing_table import RoutingTable
from tidegate.model.call import Call
from tidegate.model.errors import ProblemKind
from tidegate.wire.exchange import Exchange

_LONGEST: Final = 128  # of a name that a client made up


def planned(book: RoutingTable, caller: Caller, exchange: Exchange, call_id: int, now: int) -> tuple[Call, Plan]:
    """The call of a request whose body is here, or is forwarded as it comes. Raises `Refusal`."""
    models = caller.models
    if caller.kind is PASS:
        if models is not None:
            raise Refusal(ELSEWHERE.kind, ELSEWHERE.message)
        call = intake.forward_call(caller, exchange, call_id, now)
        plan = forwarding(book, exchange, caller.dialect)
    else:
        call = intake.read_call(caller, exchange.body, call_id, now)
        model = call.shape.model
        if models is not None and not models.allow(model):
            problem = not_allowed(models, model, book.models)
            raise Refusal(problem.kind, problem.message, problem.param)
        found = book.plan(model, caller.dialect)
        if found is None:
            raise unknown_model(model)
        plan = found
        if plan.loyal:
            acquaint(call, caller.session)
    if exchange.began:
        call.read_us = now - exchange.began
    if caller.named:
        tracing.name(call, exchange, propagates=book.propagates)
    if not call.deadline:
        call.deadline = now + plan.deadline_us
    return call, plan


def unknown_model(name: str) -> Refusal:
    """That nobody serves it, or that it is none of this key's business."""
    message = f"The model '{name[:_LONGEST]}' does not exist here. GET /v1/models lists what does."
    return Refusal(ProblemKind.UNKNOWN_MODEL, message, "model")
