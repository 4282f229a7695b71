"""The families of rate-limit headers, as data: which line of a reply tells what of which dimension.

| family | source | traps |
|---|---|---|
| openai | OpenAI's guide on rate limits | a reply may show the day's bucket: `headers.read` tells it by its period |
| azure | Azure OpenAI, quota management | remaining requests may be those of 10 s; a zero `retry-after-ms` is no word |
| anthropic | Anthropic's page on rate limits | what is left is rounded to thousands; resets are times of day |
| groq | Groq's page on rate limits | requests are always the day's, tokens the minute's |
| openrouter | OpenRouter's page on limits | requests only; the reset is in milliseconds since 1970 |
| none | DashScope, DeepSeek, Gemini, Moonshot, Volcengine, Zhipu | nothing is shown; a refusal's text may tell |

Anthropic's `tokens-*` shows whichever limit is the most restrictive at the moment, so it is no quota's own and not
read. A name of b"" is in no reply: what a family does not show needs no case of its own. All O(1).
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Dimension:
    """The lines that tell of one dimension; `period`: the seconds that they tell of, where that is shown at all."""

    limit: bytes = b""
    left: bytes = b""
    reset: bytes = b""
    period: bytes = b""


SILENT = Dimension()


@dataclass(frozen=True, slots=True)
class Family:
    """What replies show of requests, of tokens (`tokens` of both kinds, or `inputs` and `outputs` apart).

    `absolute`: resets are moments, not spans. `rounding`: what is left of tokens is rounded to a multiple of so many.
    `honest`: a zero `retry-after-ms` beside a `retry-after` does not make the latter a lie.
    """

    name: str
    requests: Dimension = SILENT
    tokens: Dimension = SILENT
    inputs: Dimension = SILENT
    outputs: Dimension = SILENT
    absolute: bool = False
    rounding: int = 0
    honest: bool = True


def _openai(what: bytes, period: bytes = b"") -> Dimension:
    start = b"x-ratelimit-"
    return Dimension(start + b"limit-" + what, start + b"remaining-" + what, start + b"reset-" + what, period)


def _anthropic(what: bytes) -> Dimension:
    start = b"anthropic-ratelimit-" + what
    return Dimension(start + b"-limit", start + b"-remaining", start + b"-reset")


_AZURE_PERIOD = b"x-ratelimit-renewalperiod-"
_ALL = (
    Family("openai", _openai(b"requests"), _openai(b"tokens")),
    Family(
        "azure",
        _openai(b"requests", _AZURE_PERIOD + b"requests"),
        _openai(b"tokens", _AZURE_PERIOD + b"tokens"),
        honest=False,
    ),
    Family(
        "anthropic",
        _anthropic(b"requests"),
        inputs=_anthropic(b"input-tokens"),
        outputs=_anthropic(b"output-tokens"),
        absolute=True,
        rounding=1_000,
    ),
    Family("groq", tokens=_openai(b"tokens")),
    Family(
        "openrouter",
        Dimension(b"x-ratelimit-limit", b"x-ratelimit-remaining", b"x-ratelimit-reset"),
        absolute=True,
    ),
    Family("none"),
)
FAMILIES = {family.name: family for family in _ALL}


def family(name: str) -> Family:
    """The family of this name; one that shows nothing when there is none."""
    return FAMILIES.get(name, FAMILIES["none"])
