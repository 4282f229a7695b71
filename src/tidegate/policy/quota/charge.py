"""What a call costs at admission. Read many times on every call."""

from tidegate.model.value import Value


class Charge(Value):
    """In tokens: the upper estimate that is reserved, and what it costs at least.

    Only `least` can make a call impossible: an estimate is no reason for a permanent refusal. Nor is a limit that only
    a reply has shown, and long ago (`Allowance.firm_until`).

    `prefix` is what its prompt begins with, where cached input may be free (0 = no matter); `beside` is then what it
    costs even when all of its prompt is cached. `outputs` is what it will probably produce, where that has a limit of
    its own; `tokens` are then those of the input.
    """

    __slots__ = ("beside", "least", "outputs", "prefix", "tokens")

    def __init__(self, tokens: int, least: int = 0, prefix: int = 0, beside: int = 0, outputs: int = 0) -> None:
        self.tokens = tokens
        self.least = least
        self.prefix = prefix
        self.beside = beside
        self.outputs = outputs

    def said(self) -> tuple[object, ...]:
        return self.tokens, self.least, self.prefix, self.beside, self.outputs
