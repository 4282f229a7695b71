"""Which word may have been meant."""

from collections.abc import Iterable
from itertools import islice

from tidegate.config.findings import shown

_MOST = 8  # words that a remedy lists


def closest(word: str, known: Iterable[str], cutoff: float = 0.7) -> str | None:
    """The known word that is most like `word`; None when none is."""
    import difflib  # noqa: PLC0415 - for words that are wrong

    close = difflib.get_close_matches(word.lower().replace("-", "_"), list(known), n=1, cutoff=cutoff)
    return close[0] if close else None


def choice(word: str, known: Iterable[str], otherwise: str = "") -> str:
    """A remedy for a `word` that is not known: the one like it, else what there is, or what to do `otherwise`."""
    names = [shown(name) for name in known]
    close = closest(word, names, 0.6)
    return offer(names, otherwise) if close is None else f"did you mean {close}?"


def offer(known: Iterable[str], otherwise: str = "") -> str:
    """The same without a guess: the first of what there is."""
    names = [shown(name) for name in islice(known, _MOST + 1)]
    if not names:
        return "there is none yet: add it"
    return f"use one of {', '.join(names[:_MOST])}{', …' if len(names) > _MOST else ''}{otherwise}"
