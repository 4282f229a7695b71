"""`python -m tidegate.testing.channels [--port 9200]`: all imitations, until it is interrupted.

It prints the channels as the configuration wants them, then each message that is taken, as a line of JSON.
`GET /_kept` shows them again; `POST /_fault?channel=slack&kind=endless&times=3` has a channel misbehave.
"""

import argparse
import signal
import sys
import threading
from collections.abc import Sequence

from tidegate.testing.channels.stand import SECRET, SIGNING, Stand, shown

_KINDS = ("dingtalk", "wecom", "feishu", "slack", "webhook", "email", "apprise")
_SECRETS = {"dingtalk": SECRET, "feishu": SECRET, "webhook": SIGNING}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run them."""
    parser = argparse.ArgumentParser(prog="python -m tidegate.testing.channels", description="Imitations of channels.")
    parser.add_argument("--port", type=int, default=9200, help="of all but the mail server")
    options = parser.parse_args(arguments)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    with Stand(port=options.port) as stand:
        sys.stdout.write(listed(stand))
        sys.stdout.flush()
        told = 0
        while not over.wait(0.2):
            kept = stand.kept()
            sys.stdout.writelines(f"{shown(one)}\n" for one in kept[told:])
            sys.stdout.flush()
            told = len(kept)
    return 0


def listed(stand: Stand) -> str:
    """The section of a configuration that names all of them."""
    lines = ["alerts:", "  channels:"]
    for kind in _KINDS:
        fields = [f"kind: {kind}", f'url: "{stand.address(kind)}"']
        fields += [f'secret: "{_SECRETS[kind]}"'] if kind in _SECRETS else []
        if kind == "email":
            fields += ["sender: gate@example.com", "receivers: [ops@example.com]"]
        lines.append(f"    {kind}: {{{', '.join(fields)}}}")
    return "\n".join([*lines, ""])


if __name__ == "__main__":
    sys.exit(main())
