"""`tidegate policy show|apply|history|restore|schema`: the configuration of a running gate, over its admin API."""

import json
import sys
from argparse import ArgumentParser, Namespace
from pathlib import Path
from typing import Any, Final

from tidegate.cli.manage import AdminClient, Failed, Json, add_connection, path, query, show, token_of

VERBS: Final = ("show", "apply", "history", "restore", "schema")
_COLUMNS: Final = ("id", "at", "by", "added", "removed", "comment")
_SECONDS: Final = 360.0  # reading a file of 1 MB takes a while


def add_arguments(verbs: Any) -> None:
    """Declare the verbs."""
    shown: ArgumentParser = verbs.add_parser("show", help="print the file in force, with masks in the place of secrets")
    apply = verbs.add_parser("apply", help="have every worker serve by a file, or nobody; FILE as `show` printed it")
    history = verbs.add_parser("history", help="what was in force, the newest first; with an ID what it changed")
    restore = verbs.add_parser("restore", help="serve by a former version; secrets stay those of today")
    schema = verbs.add_parser("schema", help="print the JSON schema of the file, for editors")
    shown.add_argument("--out", type=Path, metavar="FILE", help="write it there")
    apply.add_argument("file", type=Path, metavar="FILE")
    apply.add_argument("--dry-run", action="store_true", help="print what it would change and what is wrong, and stop")
    apply.add_argument("--base", metavar="DIGEST", help="refuse unless this is in force (`show --json`)")
    history.add_argument("id", nargs="?", type=int, metavar="ID")
    history.add_argument("--limit", type=int, default=20, metavar="N", help="default: %(default)s")
    restore.add_argument("id", type=int, metavar="ID", help="of `history`")
    for verb in (apply, restore):
        verb.add_argument("--comment", default="", metavar="TEXT", help="why, for the history")
    for verb in (shown, apply, history, restore):
        add_connection(verb)
    del schema  # it asks nobody


def run(args: Namespace) -> int:
    """One verb; raises `Failed`."""
    if args.verb == "schema":
        from tidegate.config.json_schema import json_schema

        _print(json_schema())
        return 0
    client = AdminClient(args.admin_url, token_of(args), _SECONDS)
    {"show": _show, "apply": _apply, "history": _history, "restore": _restore}[args.verb](client, args)
    return 0


def _show(client: AdminClient, args: Namespace) -> None:
    policy = _record(client.call("GET", "/policy"))
    if args.out:
        try:
            args.out.write_bytes(str(policy["text"]).encode())
        except OSError as error:
            raise Failed(f"--out {args.out}: {error.strerror}", 2) from None
    elif args.json:
        _print(policy)
    else:
        sys.stdout.write(str(policy["text"]))


def _apply(client: AdminClient, args: Namespace) -> None:
    try:
        text = args.file.read_bytes().decode()
    except (OSError, UnicodeDecodeError) as error:
        raise Failed(f"{args.file}: {getattr(error, 'strerror', None) or 'is not UTF-8 text'}", 2) from None
    base = args.base or _record(client.call("GET", "/policy"))["digest"]
    if args.dry_run:
        found = _record(client.call("POST", "/policy/preview", {"base": base, "text": text}))
        if args.json:
            _print(found)
        else:
            sys.stdout.write(str(found["diff"]))
        _tell(args.file, found["errors"], "error")
        _tell(args.file, found["warnings"], "warning")
        if found["errors"]:
            raise Failed("it cannot be applied")
        return
    said = {"base": base, "text": text, "comment": args.comment}
    _told(args, _record(client.call("POST", "/policy/apply", said)))


def _history(client: AdminClient, args: Namespace) -> None:
    if args.id is None:
        show(args, client.call("GET", f"/policy/history{query(limit=args.limit)}"), _COLUMNS)
        return
    found = _record(client.call("GET", f"/policy/history{path(str(args.id))}"))
    if args.json:
        _print(found)
    else:
        sys.stdout.write(str(found["diff"]))


def _restore(client: AdminClient, args: Namespace) -> None:
    base = _record(client.call("GET", "/policy"))["digest"]
    said = {"base": base, "comment": args.comment}
    _told(args, _record(client.call("POST", f"/policy/history{path(str(args.id))}/restore", said)))


def _told(args: Namespace, done: Json) -> None:
    if args.json:
        _print(done)
    elif done["changed"]:
        print(f"version {done['version']} is in force after {done['in_force_after_ms']} ms")
    else:
        print("it is in force already")


def _tell(file: Path, findings: object, kind: str) -> None:
    for one in findings if isinstance(findings, list) else ():
        where = f"{one['field']}: " if one["field"] else ""
        sys.stderr.write(f"{kind}: {file}:{one['line']}:{one['column']}: {where}{one['message']}; {one['remedy']}\n")


def _record(found: object) -> Json:
    if not isinstance(found, dict):
        raise Failed("the gate answered something else than a policy: is it of this version?")
    return found


def _print(found: object) -> None:
    json.dump(found, sys.stdout, ensure_ascii=False, indent=2)
    print()
