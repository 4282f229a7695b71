"""What an imitation can do wrong on purpose."""

from typing import Final

SLOW: Final = "slow"  # it takes the message and answers when nobody waits any more
ENDLESS: Final = "endless"  # its answer never ends
DRIP: Final = "drip"  # the head of its answer never ends
ERROR: Final = "error"  # 503
THROTTLED: Final = "throttled"  # 429 with Retry-After
PAGE: Final = "page"  # 200 with a web page, as a proxy's log-in has it
REDIRECT: Final = "redirect"
CUT: Final = "cut"  # the connection is closed before the message is taken
LOST: Final = "lost"  # it takes the message, and the connection is closed before it answers

FAULTS: Final = (SLOW, ENDLESS, DRIP, ERROR, THROTTLED, PAGE, REDIRECT, CUT, LOST)
RETRY_AFTER_S: Final = 7
