"""A supervisor process for the tests: options as JSON on the command line."""

import json
import sys

from tidegate.observe.log import Log
from tidegate.planes.failure import GateError
from tidegate.planes.supervisor import Options, Supervisor


def main() -> int:
    try:
        return Supervisor(Options(**json.loads(sys.argv[1])), Log("supervisor")).run()
    except GateError as error:
        sys.stderr.write(f"error: {error}\n")
        return error.status


if __name__ == "__main__":
    sys.exit(main())
