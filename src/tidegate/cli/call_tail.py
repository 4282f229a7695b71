"""`tidegate calls tail`: calls as they end, for as long as one looks."""

import json
import sys
import time
from argparse import Namespace
from collections.abc import Callable

from tidegate.cli.call_filters import asked
from tidegate.cli.call_view import line
from tidegate.cli.manage import AdminClient, Failed

_EVERY_S = 1.0
_MOST_S = 10.0  # between tries, while the gate does not answer


def follow(client: AdminClient, args: Namespace, wait: Callable[[float], None] = time.sleep) -> None:
    """Until it is interrupted. A gate that does not answer is asked again, and nothing is missed meanwhile.

    The cursor is of the database, so another process, or node, goes on with it. Raises `Failed` where the first answer
    is a refusal: then the next would be too.
    """
    cursor, pause, silent = "", _EVERY_S, False
    while True:
        try:
            found = client.call("GET", f"/calls/tail{asked(args, limit=args.limit, after=cursor)}")
        except Failed as error:
            if not cursor:
                raise
            if not silent:
                sys.stderr.write(f"{error}; asking again\n")
            silent, pause = True, min(pause * 2, _MOST_S)
        else:
            if not isinstance(found, dict):
                raise Failed("the gate answered something else than calls")
            cursor, silent, pause = str(found["next"]), False, _EVERY_S
            _print(args, found)
        if args.once:
            return
        wait(pause)


def _print(args: Namespace, found: dict[str, object]) -> None:
    if found.get("missed"):
        sys.stderr.write(f"more than {args.limit} calls since: the newest are shown\n")
    calls = found["calls"]
    for call in calls if isinstance(calls, list) else ():
        print(json.dumps(call, ensure_ascii=False) if args.json else line(call), flush=True)
