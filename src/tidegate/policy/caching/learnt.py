"""What was learnt of one entry: how alike a question must be to get its answer. vCache's rule.

Schroeder et al., "vCache: Verified Semantic Prompt Caching", arXiv 2502.03771 (ICLR 2026). An observation is a question
that was compared with the entry: how similar it was, and whether the entry's answer would have been right. Then

    P(right | s) = logistic(slope × (s − t))                of the observations, by maximum likelihood
    t'(eps)      = the upper bound of t that holds with confidence 1 − eps
    tau          = min over eps of 1 − delta / (1 − (1 − eps) × logistic(slope × (s − t'(eps))))

where delta is the share of wrong answers that is promised. With the probability tau the model is asked (which gives
an observation more), else the entry's answer is served. So of the *questions that come to the rule* at most the share
delta gets a wrong answer, whatever they are. Of those that are *served* it may be more.

Three things the paper leaves open. Right and wrong that can be separated have no finite slope: a prior holds it,
ln slope ~ N(ln 40, 1). Two observations are there from the start, as nothing else bounds t where all were right or all
wrong: what is the same text (s = 1) is right, what has nothing in common (s = 0) is wrong. t'(eps) is the bound of the
likelihood ratio at the fitted slope (Wilks 1938), not of the normal approximation, which knows no doubt where labels
can be separated. And where the bound of P(right) is below one half the model is always asked, which costs no promise.

Observing refits: O(observations), a few thousand exponentials. Deciding: a dozen. At most `MOST` are kept, the latest.
"""

from math import exp, log, log1p
from struct import Struct
from typing import Final

SERVE: Final = 1
EXPLORE: Final = 0  # ask the model, and compare
LEAST: Final = 6  # observations, below which nothing is fitted
MOST: Final = 64

_VERSION: Final = 1
_HEAD: Final = Struct("<BB")
_OBSERVATION: Final = Struct("<fB")
_EVEN: Final = 0.5
_USUAL_SLOPE: Final = log(40.0)
_SLOPES: Final[list[float]] = [6.0, 12.0, 24.0, 40.0, 60.0, 90.0, 150.0, 300.0]
_ANCHORS: Final[list[tuple[float, bool]]] = [(0.0, False), (1.0, True)]
_CLOSE: Final = 1e-5  # of a similarity
_NEAR: Final = 1e-3  # of a log-likelihood
_STEPS: Final = 30
# eps, and half the square of the normal quantile of 1 − eps: how far the log-likelihood falls at t'(eps).
_DOUBTS: Final[list[tuple[float, float]]] = [
    (0.5, 0.0), (0.3, 0.1375), (0.2, 0.3542), (0.1, 0.8212), (0.05, 1.3528), (0.03, 1.7687), (0.02, 2.1089),
    (0.01, 2.7060), (0.005, 3.3174), (0.002, 4.1420), (0.001, 4.7748), (0.0005, 5.4138), (0.0001, 6.9155),
]  # fmt: skip


class Learnt:
    """Of one entry. Not shared between threads."""

    __slots__ = ("_bounds", "_right", "_seen", "_slope")

    def __init__(self) -> None:
        self._seen: list[tuple[float, bool]] = []
        self._right = 0
        self._slope = 0.0
        self._bounds: list[float] = []  # t'(eps) for each of `_DOUBTS`; empty = nothing fitted

    def __len__(self) -> int:
        return len(self._seen)

    @property
    def spotless(self) -> bool:
        """Of what is kept nothing was wrong; also where nothing was observed."""
        return self._right == len(self._seen)

    def observe(self, similarity: float, correct: bool) -> None:
        """A question this similar was compared. What is no number in 0…1 is brought there; NaN counts as 1."""
        self._seen.append((_within(similarity), correct))
        del self._seen[:-MOST]
        self._fit()

    def at_least(self, similarity: float) -> float:
        """The lower bound of P(right), the highest over all eps; 0 where nothing is fitted."""
        best = 0.0
        for (doubt, _), bound in zip(_DOUBTS, self._bounds, strict=False):
            likely = (1.0 - doubt) * _logistic(self._slope * (similarity - bound))
            if likely > best:
                best = likely
        return best

    def decide(self, similarity: float, error_permille: int, luck: float) -> int:
        """`SERVE` or `EXPLORE`. `luck` is uniform in [0, 1). With fewer observations than `LEAST` it is `EXPLORE`."""
        likely = self.at_least(similarity)  # tau falls as the bound grows, so the best eps is the same
        if likely < _EVEN:
            return EXPLORE
        return SERVE if luck >= 1.0 - error_permille / 1_000 / (1.0 - likely) else EXPLORE

    def verdict(self, similarity: float, threshold: float, error_permille: int, luck: float) -> int:
        """As the cache decides: `SERVE` or `EXPLORE`. `threshold` is the calibrated one.

        An entry of which nothing wrong is known is served from the threshold on: what the threshold promises of all
        entries it promises of these all the more. Else, and below it, the entry has to show that at most the promised
        share *of what is served* is wrong, and does not live on the questions that go to the model.
        """
        if similarity >= threshold and self.spotless:
            return SERVE
        if self.at_least(similarity) < 1.0 - error_permille / 1_000:
            return EXPLORE
        return self.decide(similarity, error_permille, luck)

    def encode(self) -> bytes:
        """For a store: 2 bytes and 5 for each observation."""
        seen = b"".join([_OBSERVATION.pack(similarity, correct) for similarity, correct in self._seen])
        return _HEAD.pack(_VERSION, len(self._seen)) + seen

    def _fit(self) -> None:
        self._right = sum([correct for _, correct in self._seen])
        self._bounds = []
        if len(self._seen) < LEAST:
            return
        seen = [*_ANCHORS, *self._seen]
        best, middle = -1e300, 0.0
        for slope in _SLOPES:
            at = _likeliest(seen, slope)
            distance = log(slope) - _USUAL_SLOPE
            found = _likelihood(seen, slope, at)[0] - distance * distance / 2
            if found > best:
                best, middle, self._slope = found, at, slope
        top = _likelihood(seen, self._slope, middle)[0]
        bound = middle
        for _, fall in _DOUBTS:
            bound = _falls_to(seen, self._slope, bound, top - fall)
            self._bounds.append(bound)


def decode(data: bytes) -> Learnt:
    """What `encode` made. Raises ValueError for anything else."""
    if len(data) < _HEAD.size:
        raise ValueError("what was learnt of an entry is cut off")
    version, count = _HEAD.unpack_from(data)
    if version != _VERSION or count > MOST or len(data) != _HEAD.size + count * _OBSERVATION.size:
        raise ValueError("what was learnt of an entry is of another version, or corrupt")
    learnt = Learnt()
    for similarity, correct in _OBSERVATION.iter_unpack(data[_HEAD.size :]):
        if correct > 1:
            raise ValueError("what was learnt of an entry is corrupt")
        learnt._seen.append((_within(similarity), correct == 1))  # noqa: SLF001 - its own
    learnt._fit()  # noqa: SLF001
    return learnt


def _within(similarity: float) -> float:
    """NaN becomes 1: a wrong one there spoils the most, a right one says the least."""
    return 0.0 if similarity < 0.0 else similarity if similarity < 1.0 else 1.0


def _logistic(x: float) -> float:
    """1 / (1 + exp(−x)), without overflow; of NaN 0."""
    if x >= 0.0:
        return 1.0 / (1.0 + exp(-x))
    if x > -700.0:
        power = exp(x)
        return power / (1.0 + power)
    return 0.0


def _likelihood(seen: list[tuple[float, bool]], slope: float, at: float) -> tuple[float, float, float]:
    """The log-likelihood of t = `at`, and its first and second derivative in t. Concave in t."""
    value = first = second = 0.0
    for similarity, correct in seen:
        x = slope * (similarity - at)
        signed = x if correct else -x
        right = _logistic(x)
        value -= log1p(exp(-signed)) if signed > -30.0 else -signed
        first -= slope * ((1.0 if correct else 0.0) - right)
        second -= slope * slope * right * (1.0 - right)
    return value, first, second


def _likeliest(seen: list[tuple[float, bool]], slope: float) -> float:
    """The t of the greatest likelihood: Newton's steps on the derivative, held near 0…1."""
    low, high = -10.0 / slope, 1.0 + 10.0 / slope
    at = 0.9
    for _ in range(_STEPS):
        _, first, second = _likelihood(seen, slope, at)
        if first > 0.0:
            low = at
        else:
            high = at
        step = first / -second if second < 0.0 else 0.0
        closer = at + step
        if not low < closer < high or step == 0.0:
            closer = (low + high) / 2
        if abs(closer - at) < _CLOSE:
            break
        at = closer
    return at


def _falls_to(seen: list[tuple[float, bool]], slope: float, at: float, target: float) -> float:
    """Where right of `at` the log-likelihood has fallen to `target`.

    It is concave there, so Newton's steps lead there from the right, and from the left over to that side.
    """
    for _ in range(_STEPS):
        value, first, _ = _likelihood(seen, slope, at)
        over = value - target
        if abs(over) < _NEAR:
            break
        at += over / (-first if first < -slope / 50 else slope / 50)
    return at
