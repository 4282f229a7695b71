"""What a client does when it is refused."""

from random import Random

from tidegate.simulate.call import Call
from tidegate.units import SECOND_US

GIVES_UP = -1
SDK_RETRIES = 2
SDK_LONGEST_US = 120 * SECOND_US  # named times up to here are kept; above, the SDK does not retry at all
RETURN_SPREAD_US = SECOND_US


def again(call: Call, named_us: int, random: Random) -> int:
    """Microseconds until the client asks again, or `GIVES_UP`. `named_us` = 0: it was told no time."""
    group = call.party.group
    if group.retry == "sdk":
        return _as_sdk(call, named_us, random)
    if group.retry == "return" and named_us and call.tries == 1:
        return named_us + int(random.random() * RETURN_SPREAD_US)
    if group.retry == "hammer" and call.tries < group.tries:
        return int(group.pause_s * SECOND_US)
    return GIVES_UP


def _as_sdk(call: Call, named_us: int, random: Random) -> int:
    """openai-python: two retries; the named time, else min(0.5·2ⁿ, 8) s less up to a quarter."""
    if call.tries > SDK_RETRIES or named_us > SDK_LONGEST_US:
        return GIVES_UP
    if named_us:
        return named_us
    return int(min(SECOND_US // 2 << call.tries - 1, 8 * SECOND_US) * (1 - random.random() / 4))
