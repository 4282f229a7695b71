"""What a call costs: integers, billionths (nano) of the house currency.

Invariant: cost is additive but for the rounding of each sum, half a nano at most. O(prices) with one to three of them.
"""

from collections.abc import Sequence
from typing import Final

from tidegate.model.outcome import Usage
from tidegate.model.snapshot import Price

_MILLION: Final = 1_000_000
_HALF: Final = 500_000


def cost_nano(prices: Sequence[Price], usage: Usage) -> int:
    """What a provider with these prices bills for this usage; 0 where no price is known.

    The price by the length of the prompt holds for all tokens of the call, as providers have it.
    """
    if not prices:
        return 0
    price = prices[0]
    for longer in prices[1:]:
        if usage.prompt > longer.above_tokens:
            price = longer
    plain = usage.prompt - usage.cached - usage.written
    total = (
        plain * price.prompt
        + usage.cached * price.cached
        + usage.written * price.written
        + usage.completion * price.completion
    )
    return (total + _HALF) // _MILLION + price.per_request
