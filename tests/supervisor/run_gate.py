"""A supervisor process for the tests: options as JSON on the command line."""

import json
import sys

from tidegate.observe.log import Log
from tidegate.supervisor import cgroup
from tidegate.supervisor.failure import GateError
from tidegate.supervisor.options import Options
from tidegate.supervisor.supervisor import Supervisor


def main() -> int:
    options = json.loads(sys.argv[1])
    if options.pop("groupless", False):
        cgroup.places = lambda *_: [cgroup.Place(1, "/proc/sys/kernel")]  # where nobody may make directories
    try:
        return Supervisor(Options(**options), Log("supervisor")).run()
    except GateError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status


if __name__ == "__main__":
    sys.exit(main())
