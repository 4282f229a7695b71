"""`tidegate jobs …`: patient work: submit and watch it as a client, look after it as an operator."""

import sys
from argparse import ArgumentParser, Namespace
from collections.abc import Mapping

from tidegate.cli import jobs_client, jobs_worker
from tidegate.cli.manage import AdminClient, Failed, add_connection, carry_out, path, query, show

_COLUMNS = ("id", "state", "namespace", "key", "model", "backend", "priority", "attempts", "crashes", "status",
            "created", "finished", "reason")  # fmt: skip
_TRIED = ("number", "runner", "began", "ended", "outcome", "status", "call", "reason")
_DEPTHS = ("backend", "state", "jobs", "oldest")
_STATES = ("queued", "running", "done", "failed", "dead", "cancelled")
_FILTERS = ("namespace", "key", "model", "tag", "batch")
_OWN = frozenset(("submit", "watch", "result"))


def add_arguments(parser: ArgumentParser) -> None:
    """Declare the command's arguments."""
    verbs = parser.add_subparsers(dest="verb", required=True, metavar="VERB")
    jobs_client.add_verbs(verbs)
    jobs_worker.add_verb(verbs)
    listed = verbs.add_parser("list", help="the newest first")
    listed.add_argument("--state", action="append", choices=_STATES, help="may be given several times")
    listed.add_argument("--limit", type=int, default=50, metavar="N", help="default: %(default)s")
    for name in _FILTERS:
        listed.add_argument(f"--{name}", metavar=name.upper(), help=f"of one {name} only")
    stats = verbs.add_parser("stats", help="what waits and runs on each queue, and how many have ended how")
    one = verbs.add_parser("show", help="one job, with each time that it was handed out")
    cancel = verbs.add_parser("cancel", help="have jobs not run, or not run on")
    requeue = verbs.add_parser("requeue", help="have jobs begin anew that failed, are dead or were cancelled")
    one.add_argument("job", metavar="JOB")
    for verb in (cancel, requeue):
        verb.add_argument("jobs", metavar="JOB", nargs="+")
    requeue.add_argument("--deadline", type=int, metavar="SECONDS", help="from now on; default: as the gate has it")
    for verb in (listed, stats, one, cancel, requeue):
        add_connection(verb)


def run(args: Namespace) -> int:
    """One verb; 0, 1 when it was not done, 2 for wrong usage."""
    if args.verb == "worker":
        return jobs_worker.run(args)
    if args.verb in _OWN:
        return jobs_client.run(args)
    work = {"list": _list, "stats": _stats, "show": _show, "cancel": _cancel, "requeue": _requeue}[args.verb]
    return carry_out(args, work)


def _list(client: AdminClient, args: Namespace) -> None:
    filters = {name: getattr(args, name) for name in _FILTERS}
    found = _told(client.call("GET", f"/jobs{query(state=args.state, limit=args.limit, **filters)}"))
    show(args, found["jobs"], _COLUMNS)


def _stats(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("GET", "/jobs/summary"))
    if args.json:
        show(args, found, ())
        return
    if not found["enabled"]:
        print("this gate has no jobs; write a section `jobs` into the configuration, or an `execution_mode: async`")
        return
    for part, name in (("open", "not ended"), ("ended", "ended")):
        print(name)
        show(args, found[part], _DEPTHS)


def _show(client: AdminClient, args: Namespace) -> None:
    found = _told(client.call("GET", f"/jobs{path(args.job)}"))
    show(args, found, _COLUMNS)
    if not args.json and found["tried"]:
        print()
        show(args, found["tried"], _TRIED)


def _cancel(client: AdminClient, args: Namespace) -> None:
    _each(client, args, "cancel", {})


def _requeue(client: AdminClient, args: Namespace) -> None:
    _each(client, args, "requeue", {} if args.deadline is None else {"deadline_seconds": args.deadline})


def _each(client: AdminClient, args: Namespace, verb: str, body: Mapping[str, object]) -> None:
    """Each on its own: what one refuses does not keep the others. Raises `Failed` at the end."""
    done, refused = [], 0
    for job in args.jobs:
        try:
            done.append(client.call("POST", f"/jobs{path(job)}/{verb}", None if verb == "cancel" else dict(body)))
        except Failed as error:
            refused += 1
            sys.stderr.write(f"error: {job}: {error}\n")
    show(args, done, _COLUMNS)
    if refused:
        raise Failed(f"{refused} of {len(args.jobs)} were not done")


def _told(found: object) -> dict[str, object]:
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than jobs")
    return found
