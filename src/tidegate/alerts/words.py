"""What a language has to have, so that a notice can be told in it."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from tidegate.model.measures import METRICS


class Phrase(NamedTuple):
    """One metric beyond its threshold. `{what}`: whose it is; `{value}`: how much, with its unit."""

    problem: str
    amount: str  # follows the problem while it lasts
    deed: str  # what the gate does about it


class Words(NamedTuple):
    """One language."""

    states: Mapping[str, str]  # how a title begins, by the state of a notice; `{severity}`
    severities: Mapping[str, str]
    phrases: Mapping[str, Phrase]  # by metric
    labels: Mapping[str, str]
    test_title: str
    test_body: str
    others: str  # after a title: `{count}` alerts beside the one that it tells
    more: str  # after those that are shown: `{count}`
    lasted: str  # after a title of what is over: `{span}`
    over: str  # beside an alert of a group that is over: `{span}`
    threshold: str  # `{value}` and `{threshold}` of `{metric}`
    moment: str  # `{moment}` and `{zone}`
    node: str  # `{name}`
    colon: str
    comma: str
    gate: str
    metric: str
    since: str
    ended: str
    where: str
    rule: str
    deed: str
    link: str
    span: Callable[[float], str]  # of seconds
    amount: Callable[[str, str], str]  # a number's text and its unit


def phrase(words: Words, metric: str) -> Phrase:
    """Of a metric that has no words of its own: what `METRICS` calls it."""
    known = words.phrases.get(metric)
    if known is not None:
        return known
    return Phrase("{what}" + words.colon + metric_name(words, metric), words.comma + "{value}", "")


def metric_name(words: Words, metric: str) -> str:
    """As `METRICS` has it in this language."""
    known = METRICS.get(metric)
    if known is None:
        return metric
    return known.english if words.colon == ": " else known.chinese


def parts(seconds: float) -> list[tuple[int, str]]:
    """A span in its two largest units (`d`, `h`, `min`, `s`), rounded down; the smaller one only where it is not 0."""
    left = max(int(seconds), 0)
    found: list[tuple[int, str]] = []
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min"), (1, "s")):
        count, left = divmod(left, size)
        if found:
            return [*found, (count, unit)] if count else found
        if count:
            found.append((count, unit))
    return found or [(0, "s")]
