"""What an attempt came to, and whose fault a failure was."""

from enum import Enum, auto

import msgspec


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


class Usage(msgspec.Struct, frozen=True, gc=False):
    """Tokens as the provider billed them. `cached` and `written` are parts of `prompt`, `reasoning` of `completion`."""

    prompt: int = 0
    completion: int = 0
    cached: int = 0  # read from the provider's cache
    estimated: bool = False
    written: int = 0  # written into the provider's cache, where that has a price of its own
    reasoning: int = 0  # thought, where the provider says so

    @property
    def total(self) -> int:
        """Prompt and completion together."""
        return self.prompt + self.completion
