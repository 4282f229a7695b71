"""`python -m tidegate.alerts.channels.apprise_child`: one message by apprise; `Message` as JSON on standard input.

It writes nothing, and ends with 0 or one of the numbers below: what apprise logs may hold the URL.
"""

import logging
import sys
from typing import Final

import msgspec

from tidegate.supervisor.child import die_with_parent

NO_LIBRARY: Final = 3
BAD_URL: Final = 4
NOT_TAKEN: Final = 5


class Message(msgspec.Struct, frozen=True):
    """What is sent where."""

    url: str
    title: str
    body: str
    kind: str  # as apprise has it: info | success | warning | failure


def main() -> int:
    """Send it. Whoever asked may die meanwhile: then another one sends it, and this one must not."""
    die_with_parent()
    message = msgspec.json.decode(sys.stdin.buffer.read(), type=Message)
    logging.disable()
    try:
        import apprise  # noqa: PLC0415 - an extra, and heavy
    except ImportError:
        return NO_LIBRARY
    found = apprise.Apprise()
    if not found.add(message.url):
        return BAD_URL
    kind = apprise.NotifyType(message.kind)
    taken = found.notify(body=message.body, title=message.title, notify_type=kind)
    return 0 if taken else NOT_TAKEN


if __name__ == "__main__":
    sys.exit(main())
