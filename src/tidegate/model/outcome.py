"""What an attempt came to, and whose fault a failure was."""

from enum import Enum, auto

from tidegate.model.value import Value


class Reason(Enum):
    """The class of a provider's refusal or failure; it drives retry, fallback, health and status alike."""

    RATE = auto()  # this scope is over its quota for now
    BILLING = auto()  # money or a spend limit: no retry helps
    OVERLOAD = auto()  # the provider as a whole is overloaded
    RAMP = auto()  # the rate rose too fast
    CAPACITY = auto()  # this tier has no capacity
    POLICY = auto()  # content policy
    TRANSIENT = auto()  # time-out, reset, 5xx, malformed answer
    AUTH = auto()  # the gate's credential was refused
    FATAL = auto()  # the request itself is wrong; the same everywhere
    TOO_LARGE = auto()  # the request alone exceeds the quota; waiting never helps


class Usage(Value):
    """Tokens as the provider billed them. `cached` and `written` are parts of `prompt`, `reasoning` of `completion`.

    `tier`: in which service tier the provider says that it answered, "" = the usual one.

    It is read a dozen times a call: no msgspec struct, as `model/call.py`.
    """

    __slots__ = ("cached", "completion", "estimated", "prompt", "reasoning", "tier", "written")

    def __init__(
        self,
        prompt: int = 0,
        completion: int = 0,
        cached: int = 0,
        estimated: bool = False,
        written: int = 0,
        reasoning: int = 0,
        tier: str = "",
    ) -> None:
        self.prompt = prompt
        self.completion = completion
        self.cached = cached  # read from the provider's cache
        self.estimated = estimated
        self.written = written  # written into the provider's cache, where that has a price of its own
        self.reasoning = reasoning  # thought, where the provider says so
        self.tier = tier

    @property
    def total(self) -> int:
        """Prompt and completion together."""
        return self.prompt + self.completion

    def said(self) -> tuple[object, ...]:
        return self.prompt, self.completion, self.cached, self.estimated, self.written, self.reasoning, self.tier
