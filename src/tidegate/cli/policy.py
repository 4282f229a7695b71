"""`tidegate policy …`: what a policy would do to recorded calls, how two differ, and what `policy_edit` does."""

import gc
import os
import re
import sys
import time
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO, Final

import msgspec

from tidegate.cli import convert, policy_edit, policy_view
from tidegate.cli.manage import AdminClient, Failed, add_connection, query, token_of
from tidegate.model.arrivals import Arrival, ArrivalPage, ArrivalsFile, CallerPage
from tidegate.model.directory import Change

if TYPE_CHECKING:
    from tidegate.model.snapshot import Snapshot

_SPAN: Final = re.compile(r"(\d{1,6})(m|h|d)", re.ASCII)
_SECONDS: Final = {"m": 60, "h": 3_600, "d": 86_400}
_COLLECTED: Final = 100_000
_BUDGET: Final = 500_000  # calls played of each policy: four minutes
_MOST_PLAYS: Final = 1_000
_PAGE: Final = 5_000
_LINE: Final = 1_048_576  # bytes of an arrival; a longer line is none


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    test = verbs.add_parser("test", help="play recorded calls through a policy, in virtual time")
    export = verbs.add_parser("export", help="write recorded calls to a file, for `test --arrivals`")
    diff = verbs.add_parser("diff", help="how two policies differ, in words")
    policy_edit.add_arguments(verbs)
    convert.add_arguments(verbs.add_parser("convert", help="another gateway's configuration as a file of ours"))
    test.add_argument("new", metavar="NEW.yaml", help="the policy")
    test.add_argument("--against", metavar="CURRENT.yaml", help="hold it against this one, played as well")
    test.add_argument("--arrivals", type=Path, metavar="FILE", help="of `export`, in place of a running gate")
    test.add_argument("--seed", type=int, default=0, metavar="N", help="of what is drawn; default: %(default)s")
    test.add_argument("--plays", type=_plays, metavar="N", help="how often; default: 5, of many calls fewer")
    test.add_argument("--rows", type=int, default=10, metavar="N", help="of each table; default: %(default)s")
    export.add_argument("file", type=Path, metavar="FILE", help="one call a line, as JSON; `-`: standard output")
    for verb in (test, export):
        verb.add_argument("--since", type=moment, metavar="WHEN", help="24h, 90m, 7d, or a moment; default: 24h")
        verb.add_argument("--until", type=moment, metavar="WHEN", help="the same; default: now")
        verb.add_argument("--namespace", metavar="NAME", help="of one namespace only: others press on no quota then")
        add_connection(verb)
    diff.add_argument("old", metavar="OLD.yaml")
    diff.add_argument("new", metavar="NEW.yaml")
    diff.add_argument("--json", action="store_true", help="print JSON instead of lines")


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage or a file that cannot be used."""
    from tidegate.config.findings import ConfigError

    try:
        if args.verb in policy_edit.VERBS:
            return policy_edit.run(args)
        return {"test": _test, "export": _export, "diff": _diff, "convert": convert.run}[args.verb](args)
    except ConfigError as error:
        sys.stderr.write("".join(f"{line}\n" for line in error.lines()))
        return 2
    except Failed as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status


def moment(text: str) -> str:
    """As the admin API takes it: a span before now becomes a moment."""
    span = _SPAN.fullmatch(text)
    if span is None:
        if text[:2].isdecimal():
            return text
        raise ArgumentTypeError(f"{text!r}: write 24h, 90m, 7d, or a moment as 2026-11-22T08:00:00+08:00")
    seconds = int(time.time()) - int(span[1]) * _SECONDS[span[2]]
    return datetime.fromtimestamp(seconds, UTC).isoformat()


def _plays(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= _MOST_PLAYS:
        raise ArgumentTypeError(f"{text!r}: write a number from 1 to {_MOST_PLAYS:,}")
    return int(text)


def _snapshot(path: str) -> "Snapshot":
    """Raises `ConfigError`."""
    from tidegate.config.load import load

    return load(path, os.environ).snapshot


def _test(args: Namespace) -> int:
    from tidegate.dryrun.run import dry_run, plays_within
    from tidegate.dryrun.spool import Spool

    new = _snapshot(args.new)
    against = _snapshot(args.against) if args.against else None
    with Spool() as spool:
        managed: list[Change] = []
        spool.fill(_of_file(args.arrivals, managed) if args.arrivals else _asked(args))
        if not args.arrivals:
            managed += _callers(args)
        if not spool.count:
            raise Failed("there are no calls in that time: name another --since")
        plays = args.plays or plays_within(_BUDGET, spool.count, 2)
        _say(f"{spool.count:,} calls; playing{'' if plays == 1 else f' {plays} times'}")
        gc.freeze()
        gc.set_threshold(_COLLECTED, 20, 100)  # calls leave few cycles, and looking for them takes a tenth of all time
        began = time.process_time()
        report = dry_run(spool, new, against=against, managed=managed, seed=args.seed, plays=plays)
        took = max(time.process_time() - began, 1e-6)
    played = spool.count * plays * (1 if against is None else 2)
    _say(f"played in {took:.1f} s of CPU, {played / took:,.0f} calls a second")
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(report)).decode() + "\n")
    else:
        policy_view.show(report, args.rows)
    return 0


def _export(args: Namespace) -> int:
    encode = msgspec.json.Encoder().encode
    now, callers = time.time_ns() // 1_000, _callers(args)
    file = sys.stdout.buffer if str(args.file) == "-" else _opened(args.file)
    count = 0
    try:
        file.write(encode(ArrivalsFile(now, callers=len(callers))) + b"\n")
        file.writelines(encode(caller) + b"\n" for caller in callers)
        for arrival in _asked(args):
            file.write(encode(arrival) + b"\n")
            count += 1
        file.flush()
    except OSError as error:
        raise Failed(f"{args.file}: {error.strerror}") from None
    finally:
        if file is not sys.stdout.buffer:
            file.close()
    _say(f"{count:,} calls")
    return 0


def _diff(args: Namespace) -> int:
    from tidegate.dryrun.difference import differences

    found = differences(_snapshot(args.old), _snapshot(args.new))
    if args.json:
        sys.stdout.write(msgspec.json.format(msgspec.json.encode(found)).decode() + "\n")
    else:
        print("\n".join(one.text for one in found) or "nothing that a call would notice")
    return 0


def _asked(args: Namespace) -> Iterator[Arrival]:
    """From a running gate, page by page. Raises `Failed`."""
    client = AdminClient(args.admin_url, token_of(args))
    decode: Callable[[bytes], ArrivalPage] = msgspec.json.Decoder(ArrivalPage).decode
    since, until = args.since or moment("24h"), args.until or moment("0m")  # the same period for all pages
    behind = ""
    while True:
        where = query(since=since, until=until, namespace=args.namespace, behind=behind, limit=_PAGE)
        _, said = client.raw("GET", f"/arrivals{where}")
        try:
            page = decode(said)
        except msgspec.DecodeError:
            raise Failed("the gate answered something else than arrivals: is it of this version?") from None
        yield from page.arrivals
        behind = page.next
        if not behind:
            return


def _callers(args: Namespace) -> list[Change]:
    """Who may call beside the file. Raises `Failed`."""
    client = AdminClient(args.admin_url, token_of(args))
    found: list[Change] = []
    offset = 0
    while True:
        _, said = client.raw("GET", f"/arrivals/callers{query(offset=offset, limit=_PAGE)}")
        try:
            page = msgspec.json.decode(said, type=CallerPage)
        except msgspec.DecodeError:
            raise Failed("the gate answered something else than callers: is it of this version?") from None
        found += page.callers
        offset = page.next
        if not offset:
            return found


def _of_file(path: Path, managed: list[Change]) -> Iterator[Arrival]:
    """The file's arrivals; its callers come into `managed`. Raises `Failed`, which names the line."""
    decode: Callable[[bytes], Arrival] = msgspec.json.Decoder(Arrival).decode
    number = 1
    try:
        with path.open("rb") as file:
            head = msgspec.json.decode(file.readline(_LINE), type=ArrivalsFile)
            for _ in range(head.callers):
                number += 1
                managed.append(msgspec.json.decode(file.readline(_LINE), type=Change))
            while line := file.readline(_LINE):
                number += 1
                yield decode(line)
    except OSError as error:
        raise Failed(f"--arrivals {path}: {error.strerror}", 2) from None
    except msgspec.DecodeError:
        raise Failed(f"{path}:{number}: is no line of `tidegate policy export`", 2) from None


def _opened(path: Path) -> BinaryIO:
    """A new file that its owner alone may read: it says who called whom, and when."""
    try:
        return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")
    except OSError as error:
        raise Failed(f"{path}: {error.strerror}; name a file that is not there yet", 2) from None


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
