"""What a child does first."""

import signal
import subprocess
import sys

from harness.wait import wait_gone
from tidegate.supervisor.child import ChildArguments, parse_arguments

CHILD = """
import signal, sys
from tidegate.supervisor.child import die_with_parent
die_with_parent()
print("set", flush=True)
while True:
    signal.pause()
"""
PARENT = f"""
import subprocess, sys
child = subprocess.Popen([sys.executable, "-c", {CHILD!r}], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""


def test_the_kernel_ends_a_child_that_hears_nothing() -> None:
    """A child that never looks at its channel, for instance because it hangs, dies with its parent all the same."""
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    wait_gone(child)


def test_arguments_are_descriptors_and_a_place() -> None:
    """What the supervisor passes; -1 where there is nothing."""
    given = ["--channel", "5", "--listen", "6", "--state-dir", "/s", "--worker", "2"]
    assert parse_arguments(given) == ChildArguments(5, 6, "/s", 2, "/s")
    assert parse_arguments([*given, "--own-dir", "/s/own"]).own_dir == "/s/own"
    assert parse_arguments(["--channel", "5", "--worker", "-1"]) == ChildArguments(5, -1, ".", -1, ".")


def test_the_collector_looks_at_what_is_new() -> None:
    """In a process of its own: what lives is frozen, and a collection is rare."""
    asked = "import gc; from tidegate.supervisor.child import spare_the_collector as it; it(); "
    asked += "print(gc.get_freeze_count() > 1_000, gc.isenabled(), gc.get_threshold()[0] >= 10_000)"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"] * 3
