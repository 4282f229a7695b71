"""`tidegate COMMAND …`: finds the command and imports nothing but it, for `serve` is to be ready in a second."""

import sys
from argparse import ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from importlib import import_module

from tidegate import __version__

COMMANDS = {
    "serve": "run the gate",
    "check": "check a configuration file",
    "top": "show what a running gate is doing",
    "namespaces": "customers, teams, products: who is served as one",
    "users": "users of a namespace, whose keys share limits and budgets",
    "keys": "the keys with which applications call the gate",
    "accounts": "accounts of providers, as they stand; take them out of service, and back",
    "calls": "single calls, and what they said where that is kept",
    "spend": "what was used and what it cost",
    "usage": "what is used of each quota over time, and when it will be exhausted",
    "cache": "what the cache answered and saved; purge it, and ask what it had to do with a call",
    "jobs": "patient work: submit it, watch it, look after it",
    "drill": "prove that fallbacks understand their core questions",
    "alerts": "what is on, who was told; take it, silence it, test a channel",
    "audit": "who changed what",
    "tokens": "the tokens of those who manage the gate",
    "db": "bring the database to the schema of this version",
    "admin": "an admin token from the state directory, for who has none",
    "twin": "run quota twins: providers that enforce their limits, on this machine",
    "demo": "twin, gate and live traffic, without a key or a network",
    "replay": "send the calls of a trace, when it says, and report",
    "judge": "score any gateway by what a provider saw and its clients got",
    "policy": "play yesterday's calls through another policy, and tell two policies apart",
    "simulate": "play a scenario or a trace in virtual time, and compare schedulers",
}


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; returns the exit status: 0, 1 (it failed) or 2 (wrong usage or configuration)."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    if not words or words[0] not in COMMANDS:
        return _without_command(words)
    command = import_module(f"tidegate.cli.{words[0]}")
    parser = ArgumentParser(prog=f"tidegate {words[0]}", description=f"{COMMANDS[words[0]].capitalize()}.")
    command.add_arguments(parser)
    try:
        status: int = command.run(parser.parse_args(words[1:]))
    except KeyboardInterrupt:
        return 130
    return status


def _without_command(words: list[str]) -> int:
    table = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
    parser = ArgumentParser(
        prog="tidegate",
        usage="tidegate COMMAND …",
        description="The gate between your applications and all of your model APIs.",
        epilog=f"commands:\n{table}\n\n`tidegate COMMAND --help` tells the rest.",
        formatter_class=RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"tidegate {__version__}")
    if not words:
        parser.print_help(sys.stderr)
        return 2
    _, rest = parser.parse_known_args(words)
    sys.stderr.write(f"error: there is no command {rest[0]!r}: one of {', '.join(COMMANDS)}\n")
    return 2
