"""What calls of one key to one model have come to of late, beyond their prompts: what the next one is thought to cost.

What a call hardly exceeds is the 0.9 quantile of the last 32 calls, each counted by its length: calls are in flight for
as long as they produce, so of those that are at a given moment, many more are long than of those that begin. What is
usual is the middle one. Both are of the tokens that all attempts of a call were billed for, less the prompt as it was
estimated: so they carry the estimate's error and the cost of retries with them. `max_tokens` caps them and is nothing
more: clients state it far too high, or not at all.

Cold start: until eight calls of the key were seen, those of everybody to the model count; until eight of these were,
what is stated, and at most `UNKNOWN`. Memory is bounded: pairs of key and model that were not used for longest go.
O(1) a call: 32 numbers are sorted every four calls.
"""

from bisect import bisect_right
from collections import OrderedDict
from typing import Final

SAMPLES: Final = 32
_ABOVE: Final = 10  # the largest calls that produce a tenth of all tokens may exceed it
YOUNG: Final = 8
_EVERY: Final = 4  # calls: a quantile of 32 changes little with one
LEAST_GROWTH: Final = 16
UNKNOWN: Final = 4_096  # tokens of a call of which nothing is known
MAX_PAIRS: Final = 16_384


class Outlook:
    """The last calls of one key, or of everybody, to one model."""

    __slots__ = ("_due", "_halfway", "_samples", "_sorted", "_upper", "_usual", "count")

    def __init__(self) -> None:
        self.count = 0
        self._samples: list[int] = []
        self._sorted: list[int] = []
        self._upper = self._usual = self._halfway = 0
        self._due = 0  # the call with which they are looked up anew

    def learn(self, tokens: int) -> None:
        """A call came to so many tokens beyond its prompt."""
        if len(self._samples) < SAMPLES:
            self._samples.append(tokens)
        else:
            self._samples[self.count % SAMPLES] = tokens
        self.count += 1

    def upper(self) -> int:
        """What is hardly exceeded. There is at least one sample."""
        if self.count >= self._due:
            self._rank()
        return self._upper

    def usual(self) -> int:
        """What half of the calls stay below."""
        if self.count >= self._due:
            self._rank()
        return self._usual

    def halfway(self) -> int:
        """What a call that is looked at while it runs has come to, in the mean: half of what the longer ones weigh.

        The mean of calls by their length, halved: the residual life of renewal theory (Cox 1962).
        """
        if self.count >= self._due:
            self._rank()
        return self._halfway

    def beyond(self, tokens: int) -> int:
        """What is hardly exceeded by those that come to more than that; a quarter more, where none has."""
        if self.count >= self._due:
            self._rank()
        above = self._sorted[bisect_right(self._sorted, tokens) :]
        return _upper(above) if above else _more(tokens)

    def _rank(self) -> None:
        ranked = self._sorted = sorted(self._samples)
        self._upper = _upper(ranked)
        self._usual = ranked[len(ranked) // 2]
        total, squares = sum(ranked), 0
        for tokens in ranked:
            squares += tokens * tokens
        self._halfway = squares // (2 * total) if total else 0
        self._due = self.count + (1 if self.count < SAMPLES else _EVERY)


def further(outlook: Outlook | None, tokens: int) -> int:
    """What an answer that has come to `tokens` will hardly exceed."""
    return _more(tokens) if outlook is None else outlook.beyond(tokens)


def _upper(ranked: list[int]) -> int:
    """The 0.9 quantile of at least one number, each counted by its size."""
    total, above = sum(ranked), 0
    for tokens in reversed(ranked):
        above += tokens
        if above * _ABOVE > total:
            return tokens
    return 0


def _more(tokens: int) -> int:
    return tokens + tokens // 4 + LEAST_GROWTH


class Outlooks:
    """By key and model. Bounded by `MAX_PAIRS`."""

    __slots__ = ("_by_model", "_pairs")

    def __init__(self) -> None:
        self._pairs: OrderedDict[tuple[str, str], Outlook] = OrderedDict()
        self._by_model: OrderedDict[str, Outlook] = OrderedDict()

    def __len__(self) -> int:
        return len(self._pairs)

    def of(self, who: str, model: str) -> Outlook | None:
        """What is known of such calls; None where it is not enough."""
        own = self._pairs.get((who, model))
        if own is not None and own.count >= YOUNG:
            return own
        everybody = self._by_model.get(model)
        return everybody if everybody is not None and everybody.count >= YOUNG else None

    def learn(self, who: str, model: str, tokens: int) -> None:
        """A call of this key to this model came to so many tokens beyond its prompt."""
        pair = who, model
        own = self._pairs.get(pair)
        if own is None:
            own = self._pairs[pair] = Outlook()
            if len(self._pairs) > MAX_PAIRS:
                self._pairs.popitem(last=False)
        else:
            self._pairs.move_to_end(pair)
        own.learn(tokens)
        everybody = self._by_model.get(model)
        if everybody is None:
            everybody = self._by_model[model] = Outlook()
            if len(self._by_model) > MAX_PAIRS:
                self._by_model.popitem(last=False)
        everybody.learn(tokens)
