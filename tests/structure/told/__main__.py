"""What the gate says, and what of it the control room cannot say in Chinese yet.

python -m tests.structure.told          lists templates without Chinese words, and Chinese ones that nobody says
python -m tests.structure.told --write  takes the latter out, and puts the former in with nothing beside them
"""

import sys

from tests.structure.told import catalogue
from tests.structure.told.places import Places


def main() -> int:
    """0 where the catalogue says what the gate says."""
    said, known = Places().templates(), catalogue.read()
    missing, stale = catalogue.missing(said, known), catalogue.stale(said, known)
    for text in missing:
        print(f"no Chinese words: {text!r} ({', '.join(said[text][:3])})")
    for text in stale:
        print(f"nobody says it: {text!r}")
    if "--write" in sys.argv[1:]:
        catalogue.write(catalogue.renewed(said, known))
    return int(bool(missing or stale))


if __name__ == "__main__":
    sys.exit(main())
