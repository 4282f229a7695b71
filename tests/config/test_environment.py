"""`${VAR}` and `${VAR:-default}`."""

import pytest

from tidegate.config.environment import BadReference, refers, substitute

ENVIRON = {"A": "1", "EMPTY": "", "NESTED": "${A}", "_b2": "x"}


@pytest.mark.parametrize(
    ("text", "result"),
    [
        ("plain $A $ {A}", "plain $A $ {A}"),
        ("${A}", "1"),
        ("<${A}${_b2}>", "<1x>"),
        ("${EMPTY}", ""),
        ("${EMPTY:-d}", "d"),
        ("${NONE:-d}", "d"),
        ("${NONE:-}", ""),
        ("${NONE:-a:-b}", "a:-b"),
        ("${A:-d}", "1"),
        ("${NESTED}", "${A}"),
        ("$${A}", "${A}"),
        ("$$${A}", "$${A}"),
        ("$${", "${"),
        ("${NONE:-http://h:1/v1?x}", "http://h:1/v1?x"),
    ],
)
def test_substitution(text: str, result: str) -> None:
    """As in a shell, once, and `$${` is a literal `${`."""
    assert substitute(text, ENVIRON) == result


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("${NONE}", "the environment variable NONE is not set"),
        ("${A} ${B}", "the environment variable B is not set"),
        ("${", "a ${ is never closed"),
        ("${A", "a ${ is never closed"),
        ("${}", "what stands in ${…} is no name of a variable"),
        ("${a-b}", "what stands in ${…} is no name of a variable"),
        ("${A:=d}", "what stands in ${…} is no name of a variable"),
        ("${1}", "what stands in ${…} is no name of a variable"),
        ("${ A }", "what stands in ${…} is no name of a variable"),
    ],
)
def test_bad_references(text: str, message: str) -> None:
    """A missing variable is named; anything else that is wrong is not, for it may be a secret."""
    with pytest.raises(BadReference) as refused:
        substitute(text, ENVIRON)
    assert refused.value.message == message
    assert refused.value.remedy


def test_refers() -> None:
    """Only text with `${` is looked at."""
    assert refers("x${A}")
    assert not refers("$A {A}")
