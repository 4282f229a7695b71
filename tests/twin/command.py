"""The command as a process of its own."""

import argparse
import subprocess
import sys

from tidegate.cli import twin


def start(*arguments: str) -> tuple[subprocess.Popen[str], str]:
    """A running twin on a free port that answers at once, and its base URL."""
    command = [sys.executable, "-m", "tests.twin.command", "--port", "0", "--ttft-ms", "0", "--tpot-ms", "0"]
    process = subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line.startswith("twin ready: "), process.communicate()
    return process, line.split()[2]


def parser() -> argparse.ArgumentParser:
    """The command's own."""
    made = argparse.ArgumentParser()
    twin.add_arguments(made)
    return made


if __name__ == "__main__":
    sys.exit(twin.run(parser().parse_args()))
