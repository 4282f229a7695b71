"""Which calls are a sample: by a hash of their ids, so that it can be said again of any call, and takes no chance.

The hash is the finaliser of SplitMix64 (Steele, Lea and Flood, "Fast splittable pseudorandom number generators", 2014):
ids that follow each other are spread evenly.
"""

from typing import Final

_WORD: Final = (1 << 64) - 1
_MILLION: Final = 1_000_000


def sampled(call_id: int, ppm: int) -> bool:
    """Whether a call is among `ppm` of a million. O(1)."""
    if ppm >= _MILLION:
        return True
    mixed = (call_id + 0x9E3779B97F4A7C15) & _WORD
    mixed = (mixed ^ (mixed >> 30)) * 0xBF58476D1CE4E5B9 & _WORD
    mixed = (mixed ^ (mixed >> 27)) * 0x94D049BB133111EB & _WORD
    return (mixed ^ (mixed >> 31)) % _MILLION < ppm
