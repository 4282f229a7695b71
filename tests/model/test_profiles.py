"""The words of profiles are those that the policies know."""

from tidegate.model import profiles
from tidegate.model.outcome import Reason
from tidegate.policy.failure.classify import out_by
from tidegate.policy.failure.headers_families import FAMILIES


def test_the_families_are_there() -> None:
    """Each has its table of headers, and no other has."""
    assert tuple(FAMILIES) == profiles.FAMILIES


def test_no_word_stands_twice() -> None:
    """In any of the lists; and what a class takes out by itself is one of the words."""
    for words in (profiles.CHARGES, profiles.PREFIXES, profiles.KINDS, profiles.SCOPES, profiles.PLACES):
        assert len(set(words)) == len(words)
    assert {out_by(reason) for reason in Reason} <= set(profiles.SCOPES)
