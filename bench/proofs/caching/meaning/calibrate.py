"""Where the table of `policy/caching/calibration.py` comes from.

python -m bench.proofs.caching.meaning.calibrate DATA
"""

import sys
from collections.abc import Sequence
from math import ceil
from pathlib import Path

from bench.proofs.caching.meaning.bounds import upper
from bench.proofs.caching.meaning.compared import Compared, sides
from bench.proofs.caching.meaning.embeddings import Embeddings

SURCHARGE = 0.03
_ERRORS = (10, 20, 50)
_LOWEST = 0.9  # below it nothing is promised: there are hardly any pairs


def lowest(pairs: Sequence[Compared], error_permille: int) -> tuple[float, int, int]:
    """The least threshold from which on the share of the false is promised; with the hits there and the false.

    Of n hits with k false ones the share is taken as (k + ½)/(n + 1), Jeffreys' estimate, so that few are no proof.
    """
    rows = sorted(((pair.least(SURCHARGE), pair.ours) for pair in pairs), reverse=True)
    best, false = (2.0, 0, 0), 0
    for count, (level, same) in enumerate(rows, 1):
        if level < _LOWEST:
            break
        false += not same
        if (false + 0.5) / (count + 1) <= error_permille / 1_000:
            best = (level, count, false)
    return best


def main(words: Sequence[str]) -> int:
    """Print the table."""
    calibrate, _, left = sides(Path(words[0]), Embeddings())
    print(f"{len(calibrate):,} pairs to calibrate on, {left:,} of both halves not embedded")
    for script in ("en", "zh"):
        pairs = [pair for pair in calibrate if pair.script == script]
        for error in _ERRORS:
            level, count, false = lowest(pairs, error)
            bound = upper(false, count)
            print(f"{script} {error}: {ceil(level * 1_000) / 1_000} ({false} false of {count}, at most {bound:.1%})")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
