"""How many tokens will the provider count? A ratio learnt per kind of text, never a tokenizer.

A text is measured in *weight*: its ASCII bytes plus a few for every wide character, so that tokens per weight is of
one order in English, Chinese and code. It falls into one of a few classes by how many wide characters and spaces it
has and how long it is; calls with images, sounds or files are a class of their own. Each class learns mean and
deviation of tokens per weight from the usage that providers report.

The estimate is an *upper* one (mean + 3 deviations, a cautious constant while a class is young): a reservation that is
too high costs depth of the bucket until the reply corrects it, one that is too low costs a 429. Measuring is O(bytes)
at C speed (about 1 µs per kB), everything else O(1).
"""

from collections.abc import Sequence
from typing import Final

from tidegate.model.call import Size
from tidegate.model.text import count
from tidegate.policy.quota.average import Average

WIDE_WEIGHT: Final = 3
PER_MESSAGE_BYTES: Final = 26  # {"role":"…","content":"…"} around the text
PER_MESSAGE_TOKENS: Final = 4
PER_REPLY_TOKENS: Final = 3
IMAGE_TOKENS: Final = 1_105  # 1024 × 1024 at high detail and a margin (OpenAI's tile rule)
LOW_IMAGE_TOKENS: Final = 85

_YOUNG: Final = 8
_MARGIN: Final = 3.0
_SPACES_OF: Final = 512  # bytes of a text in which spaces are counted: a share is asked for, and each costs a stop
_WITH_IMAGES: Final = 36  # the kind of a call with images, whatever its text
_TOKENS_PER_WEIGHT: Final = 4  # of that text: its weight becomes one with the images' tokens
# Tokens per weight of a young class: by share of wide characters, and by spaces (none: base64, digits), then images.
_COLD = (0.75, 0.50, 0.45, 0.65, 0.65, 0.65, 0.60, 0.60, 0.60, 0.60, 0.60, 0.60, 1.50)


def measure(text: bytes, wide: int, escaped: int = 0, messages: int = 0, images: int = 0, low_images: int = 0) -> Size:
    """Measure UTF-8 JSON text of `messages` messages with `wide` characters beyond ASCII, `escaped` of them escaped."""
    length = len(text) - 3 * escaped  # as if they were written plainly
    spaces = count(text, b" ", _SPACES_OF) * 100
    kind = 0 if length < 512 else 1 if length < 4_096 else 2
    if spaces >= 6 * length:
        kind += 3 if spaces < 13 * length else 6
    weight = length - messages * PER_MESSAGE_BYTES
    if wide:
        ascii_bytes = length - 3 * wide
        kind += 9 if wide * 10 < ascii_bytes else 18 if wide * 2 < ascii_bytes else 27
        weight -= (3 - WIDE_WEIGHT) * wide
    if images:
        kind = _WITH_IMAGES
        weight = weight // _TOKENS_PER_WEIGHT + (images - low_images) * IMAGE_TOKENS + low_images * LOW_IMAGE_TOKENS
    return Size(kind, weight if weight > 0 else 1, PER_REPLY_TOKENS + messages * PER_MESSAGE_TOKENS)


class Estimator:
    """The learnt ratios of one model at one provider."""

    __slots__ = ("_ratios",)

    def __init__(self) -> None:
        self._ratios = [Average() for _ in range(_WITH_IMAGES + 1)]

    def upper(self, size: Size) -> int:
        """Prompt tokens that will hardly be exceeded."""
        ratio = self._ratios[size.kind]
        bound = ratio.mean + _MARGIN * ratio.deviation + 0.01
        if ratio.samples < _YOUNG:
            bound = max(bound, _COLD[size.kind // 3])
        return size.fixed + int(size.weight * bound) + 1

    def expected(self, size: Size) -> int:
        """Prompt tokens most likely: for a bill that the provider will not tell."""
        ratio = self._ratios[size.kind]
        return size.fixed + int(size.weight * (ratio.mean if ratio.samples else _COLD[size.kind // 3] / 2))

    def learn(self, size: Size, tokens: int) -> None:
        """The provider counted `tokens` prompt tokens for a request of this size."""
        if tokens > size.fixed:
            self._ratios[size.kind].learn((tokens - size.fixed) / size.weight)

    def dump(self) -> list[tuple[float, float, int]]:
        """What was learnt, to be remembered over a restart."""
        return [(ratio.mean, ratio.deviation, ratio.samples) for ratio in self._ratios]

    def load(self, learnt: Sequence[tuple[float, float, int]]) -> None:
        """Continue from what `dump` gave; anything of another shape is ignored."""
        if len(learnt) != len(self._ratios):
            return
        for ratio, (mean, deviation, samples) in zip(self._ratios, learnt, strict=True):
            ratio.mean, ratio.deviation, ratio.samples = mean, deviation, samples


def admission(rule: str, prompt: int, output: int) -> int:
    """What a provider's limiter charges a call with `prompt` tokens and at most `output` new ones."""
    if rule == "max":
        return max(prompt, output)
    return prompt + output if rule == "sum" else prompt
