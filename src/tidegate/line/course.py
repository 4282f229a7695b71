"""How far a call has come with one target."""

from tidegate.line.slot import Answered
from tidegate.line.target import Target
from tidegate.model.call import Call
from tidegate.providers.translate.face import Crossed


class Course:
    """How far the call has come with one target."""

    __slots__ = ("crossed", "failures", "foreign", "less", "not_before", "target", "why")

    def __init__(self, target: Target, call: Call, less: str = "") -> None:
        self.target = target
        way = target.ways.get(call.kind)
        self.foreign = way is not None and way.crossing is not None  # the call needs a translation that it has not yet
        self.crossed: Crossed | None = None
        self.less = less  # what the call is told when it is served here, though it asked for more
        self.failures = 0
        self.not_before = 0
        self.why = ""  # it is not to be asked before then

    def tell(self, call: Call, answered: Answered) -> None:
        """It was served here, and by whom: what of it was not."""
        slot = answered.slot
        call.account, call.head_us, call.span = slot.account, slot.head_us, slot.span
        call.reserved = slot.permit.tokens
        if answered.splice is None:
            call.answer_bytes = len(answered.body)
        if self.less:
            call.degraded = (*call.degraded, self.less)
        if self.crossed is not None:
            call.dropped = self.crossed.dropped
