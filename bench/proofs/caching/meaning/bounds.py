"""How large a share may be of which some were seen."""

from math import comb, exp, log, log1p


def upper(bad: int, count: int, confidence: float = 0.95) -> float:
    """The one-sided upper bound of a share (Clopper & Pearson 1934): at a larger one so few would be a surprise."""
    if count == 0 or bad >= count:
        return 1.0
    low, high = bad / count, 1.0
    for _ in range(60):
        middle = (low + high) / 2
        if _at_most(bad, count, middle) > 1.0 - confidence:
            low = middle
        else:
            high = middle
    return high


def _at_most(bad: int, count: int, share: float) -> float:
    """The chance of at most `bad` of `count`."""
    return sum(exp(log(comb(count, k)) + k * log(share) + (count - k) * log1p(-share)) for k in range(bad + 1))
