"""What is wrong with a fallback before it is asked anything: told by the configuration alone. Pure.

An `error` is something that cannot work, a `warning` something that works worse or costs more than the primary does, a
`note` what is not known.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, NamedTuple

from tidegate.model.drills import Drill, DrilledStrategy, DrillPrompt, DrillTarget
from tidegate.policy.drills.language import is_han

ERROR: Final = "error"
WARNING: Final = "warning"
NOTE: Final = "note"
_LETTERS: Final = 4  # characters of a token, where they are not Han
_LEAST_LETTERS: Final = 8  # no text of more than this many bytes a token is real
_MESSAGE: Final = 4


class Finding(NamedTuple):
    """One of them. `drill` and `prompt`: whose question shows it, "" = none does."""

    level: str
    strategy: str
    target: str
    code: str
    text: str
    drill: str = ""
    prompt: str = ""


class Crossing(NamedTuple):
    """What becomes of a question in a target's dialect: fields that it cannot say, or why it cannot be said at all."""

    dropped: tuple[str, ...] = ()
    impossible: str = ""


Crossings = Mapping[tuple[str, str, str], Crossing]  # by drill, prompt and dialect; what is not there loses nothing


def check(strategy: DrilledStrategy, drills: Sequence[Drill], crossings: Crossings) -> Iterator[Finding]:
    """What there is to be said of its fallbacks. O(targets × questions × characters)."""
    mine = [drill for drill in drills if strategy.name in drill.strategies]
    if not strategy.targets:
        return
    primary = strategy.targets[0]
    dearer = min((drill.dearer_milli for drill in mine), default=Drill("", (), ()).dearer_milli)
    for target in strategy.fallbacks:
        for level, code, text in (*_compared(target, primary, dearer), *_alone(target)):
            yield Finding(level, strategy.name, target.model, code, text)
        for drill in mine:
            for prompt in drill.prompts:
                crossing = crossings.get((drill.name, prompt.name, target.dialect), Crossing())
                for level, code, text in (*_asked(target, prompt), *_crossed(target, crossing, strict=strategy.strict)):
                    yield Finding(level, strategy.name, target.model, code, text, drill.name, prompt.name)


def _compared(target: DrillTarget, primary: DrillTarget, dearer_milli: int) -> Iterator[tuple[str, str, str]]:
    if target.context and target.context < primary.context:
        text = f"its context of {target.context:,} tokens is smaller than the primary's {primary.context:,}"
        yield WARNING, "context", f"{text}: longer calls have no fallback"
    if primary.tools and not target.tools:
        yield WARNING, "tools", "it has no tools, and the primary has: calls with tools have no fallback"
    if primary.images and not target.images:
        yield WARNING, "images", "it reads no images, and the primary does: calls with images have no fallback"
    for what, ours, theirs in (
        ("input", target.prompt_nano, primary.prompt_nano),
        ("output", target.completion_nano, primary.completion_nano),
    ):
        if theirs and ours * 1_000 > theirs * dearer_milli:
            yield WARNING, "price", f"its {what} costs {ours / theirs:.1f} times that of the primary"
    if target.provider == primary.provider:
        text = f"it is served by {target.provider}, as the primary is: what stops that provider stops both"
        yield WARNING, "independence", text
    elif target.base_url == primary.base_url:
        yield WARNING, "independence", "it is served at the primary's base URL: what stops that stops both"


def _alone(target: DrillTarget) -> Iterator[tuple[str, str, str]]:
    if not target.keyed and not target.local:
        yield ERROR, "key", "its provider has no key but a placeholder, and is not in this network"
    if not target.context:
        yield NOTE, "context_unknown", "its context is not known: state `context` under the provider's models"
    if not target.limited:
        yield NOTE, "limits_unknown", "its limits are not stated: a rush of calls finds them by being refused"
    if not target.prompt_nano and not target.local:
        yield NOTE, "price_unknown", "its price is not known: what falling back costs cannot be told"


def _asked(target: DrillTarget, prompt: DrillPrompt) -> Iterator[tuple[str, str, str]]:
    least, likely = _least(prompt) + prompt.max_tokens, likely_tokens(prompt) + prompt.max_tokens
    if target.context and least > target.context:
        text = f"the question needs at least {least:,} tokens with its answer, its context has {target.context:,}"
        yield ERROR, "context", text
    elif target.context and likely > target.context:
        text = f"the question needs about {likely:,} tokens with its answer, its context has {target.context:,}"
        yield WARNING, "context", text
    if prompt.tools and not target.tools:
        yield ERROR, "tools", "the question needs tools, and it has none"
    if prompt.images and not target.images:
        yield ERROR, "images", "the question shows images, and it reads none"


def _crossed(target: DrillTarget, crossing: Crossing, *, strict: bool) -> Iterator[tuple[str, str, str]]:
    if crossing.impossible:
        yield ERROR, "dialect", f"the question cannot be said to {target.dialect}: {crossing.impossible}"
    elif crossing.dropped:
        fields = ", ".join(crossing.dropped)
        if strict:
            yield ERROR, "dialect", f"{target.dialect} cannot be told {fields}, and `on_unsupported` is refuse"
        else:
            yield WARNING, "dialect", f"{target.dialect} cannot be told {fields}: left out of the call"


def likely_tokens(prompt: DrillPrompt) -> int:
    """About what its text costs: a token for each Chinese character and each four others. O(characters)."""
    text = prompt.messages + prompt.tools
    han = sum(1 for sign in text if is_han(sign))
    return han + (len(text) - han) // _LETTERS + _MESSAGE


def _least(prompt: DrillPrompt) -> int:
    return len((prompt.messages + prompt.tools).encode()) // _LEAST_LETTERS
