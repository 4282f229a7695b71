"""Canonical JSON: RFC 8785's own samples, another implementation of it, and what is refused."""

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.policy.caching.reference import rewritten
from tidegate.policy.caching import jcs

# RFC 8785, appendix B: the bits of a double, and how it is written.
NUMBERS = {
    "0000000000000000": "0",
    "8000000000000000": "0",
    "0000000000000001": "5e-324",
    "8000000000000001": "-5e-324",
    "7fefffffffffffff": "1.7976931348623157e+308",
    "ffefffffffffffff": "-1.7976931348623157e+308",
    "4340000000000000": "9007199254740992",
    "c340000000000000": "-9007199254740992",
    "4430000000000000": "295147905179352830000",
    "44b52d02c7e14af5": "9.999999999999997e+22",
    "44b52d02c7e14af6": "1e+23",
    "44b52d02c7e14af7": "1.0000000000000001e+23",
    "444b1ae4d6e2ef4e": "999999999999999700000",
    "444b1ae4d6e2ef4f": "999999999999999900000",
    "444b1ae4d6e2ef50": "1e+21",
    "3eb0c6f7a0b5ed8c": "9.999999999999997e-7",
    "3eb0c6f7a0b5ed8d": "0.000001",
    "41b3de4355555553": "333333333.3333332",
    "41b3de4355555554": "333333333.33333325",
    "41b3de4355555555": "333333333.3333333",
    "41b3de4355555556": "333333333.3333334",
    "41b3de4355555557": "333333333.33333343",
    "becbf647612f3696": "-0.0000033333333333333333",
    "43143ff3c1cb0959": "1424953923781206.2",
}


@pytest.mark.parametrize(("bits", "shown"), NUMBERS.items())
def test_numbers_of_the_rfc(bits: str, shown: str) -> None:
    """Appendix B, whatever a number looked like before: in Python's form, and in its own."""
    (value,) = struct.unpack(">d", bytes.fromhex(bits))
    assert jcs.number(repr(value)) == shown
    assert jcs.number(shown if "e" in shown or "." in shown else shown + ".0") == shown


def test_the_sample_of_the_rfc() -> None:
    """Section 3.2.4: numbers, escapes and literals."""
    given_ = rb"""{
      "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
      "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/",
      "literals": [null, true, false]
    }"""
    assert jcs.canonical(given_).hex(" ") == (
        "7b 22 6c 69 74 65 72 61 6c 73 22 3a 5b 6e 75 6c 6c 2c 74 72 75 65 2c 66 61 6c 73 65 5d 2c 22 6e 75 6d 62 65 "
        "72 73 22 3a 5b 33 33 33 33 33 33 33 33 33 2e 33 33 33 33 33 33 33 2c 31 65 2b 33 30 2c 34 2e 35 2c 30 2e 30 "
        "30 32 2c 31 65 2d 32 37 5d 2c 22 73 74 72 69 6e 67 22 3a 22 e2 82 ac 24 5c 75 30 30 30 66 5c 6e 41 27 42 5c "
        "22 5c 5c 5c 5c 5c 22 2f 22 7d"
    )


def test_names_are_sorted_by_utf_16() -> None:
    """Section 3.2.3: what takes two units stands before U+FB33, though its code point is higher. In depth as well."""
    names = rb'{"\u20ac":1,"\r":2,"\ufb33":3,"1":4,"\ud83d\ude00":5,"\u0080":6,"\u00f6":7}'
    flat = '{"\\r":2,"1":4,"\x80":6,"ö":7,"€":1,"😀":5,"\ufb33":3}'
    assert jcs.canonical(names).decode() == flat
    assert jcs.canonical(b'{"a":[%b],"\xef\xac\xb3":0}' % names).decode() == f'{{"a":[{flat}],"\ufb33":0}}'


@pytest.mark.parametrize("text", ["😀 \\", '😀":', "😀\\\\", '😀"x', '😀\\",', "\ufb00😀:"])
def test_texts_that_look_like_names_are_none(text: str) -> None:
    """Where such a character stands in a text, whatever follows it, the order of names is the same; and it is right."""
    value = {"\ufb33": text, "b": text, "a\\": {"\ufb00": 1}}
    data = json.dumps(value, ensure_ascii=False).encode()
    assert jcs.canonical(data) == rewritten(data)
    for inner in (0, {"\ufb33": 1, "😀": 2}):
        named = json.dumps({"\ufb33": 0, text: inner}).encode()
        assert jcs.canonical(named) == rewritten(named)


ANY_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8) | st.sampled_from(
    ["", "😀", "\ufb33", "\\", '"', "a"]
)
FLOATS = st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**80), 2**80) | FLOATS | ANY_TEXT,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(ANY_TEXT, inner, max_size=4),
    max_leaves=12,
)


@given(value=VALUES, spaced=st.booleans(), ascii_=st.booleans())
def test_it_is_what_another_implementation_says(value: object, spaced: bool, ascii_: bool) -> None:
    """For any value, however it is spelled; and what is canonical stays as it is."""
    data = json.dumps(value, ensure_ascii=ascii_, indent=1 if spaced else None, separators=(",", ":")).encode()
    written = jcs.canonical(data)
    assert written == rewritten(data)
    assert jcs.canonical(written) == written


@given(value=FLOATS)
def test_any_double_has_one_form(value: float) -> None:
    """It reads as the same double, and is its own form."""
    shown = jcs.number(repr(value))
    assert float(shown) == value
    assert jcs.number(f"{shown}e0" if "e" not in shown else shown) == shown


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"[1]", b" [ 1.0 ]\n"),
        (b"[1]", b"[1e0]"),
        (b"[1]", b"[0.1E+1]"),
        (b"[100]", b"[1e2]"),
        (b"[0]", b"[-0]"),
        (b"[0]", b"[-0.0]"),
        (b"[0]", b"[0e-5]"),
        (b"[0.00001]", b"[1e-5]"),
        (b"[9007199254740992]", b"[9007199254740992.0]"),
        (b"[0.7]", b"[0.69999999999999996]"),
        (b'["A/\xc3\xa9\xf0\x9f\x98\x80"]', b'["\\u0041\\/\\u00E9\\ud83d\\uDE00"]'),
        (b'["\\n\\u001f"]', b'["\\u000A\\u001F"]'),
        (b'{"a":1,"b":{"c":2,"d":3}}', b'{"b":{"d":3,"c":2},"a":1}'),
        (b'{"a":"\\""}', b'{"\\u0061":"\\u0022"}'),
    ],
)
def test_spellings_of_one_value(one: bytes, other: bytes) -> None:
    """Order, white space, numbers and escapes are spelling."""
    assert jcs.canonical(one) == jcs.canonical(other) == one


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (b"[1]", b"[true]"),
        (b"[1]", b'["1"]'),
        (b"[null]", b"[]"),
        (b"[null]", b"[false]"),
        (b'{"a":null}', b"{}"),
        (b'["a",""]', b'["","a"]'),
        (b"[[1],2]", b"[[1,2]]"),
        (b'["e\xcc\x81"]', b'["\xc3\xa9"]'),
        (b'["\xef\xbd\x81"]', b'["a"]'),
        (b'["a "]', b'["a"]'),
        (b'["\\\\u0041"]', b'["\\u0041"]'),
        (b"[9007199254740993]", b"[9007199254740992]"),
        (b"[18446744073709551617]", b"[18446744073709551616]"),
        (b"[0.1]", b"[0.10000000000000002]"),
        (b"[1e22]", b"[1e23]"),
        (b"[-1]", b"[1]"),
        (b'{"A":1}', b'{"a":1}'),
    ],
)
def test_what_is_not_the_same(one: bytes, other: bytes) -> None:
    """Types, order of lists, Unicode that is not normalised, digits of whole numbers: all of it counts."""
    assert jcs.canonical(one) != jcs.canonical(other)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"{",
        b"nul",
        b"{}x",
        b"{} {}",
        b'{"a":1,}',
        b"[NaN]",
        b"[Infinity]",
        b"[-Infinity]",
        b"[01]",
        b"[.5]",
        b"[1.]",
        b"[+1]",
        b"[0x1]",
        b"['a']",
        b'["\\x41"]',
        b'["\\ud800"]',
        b'["\\udc00 and more"]',
        b'["\\ud800\\u0041 and more"]',
        b'{"\\ud800":1}',
        b'["\xff"]',
        b'["\xed\xa0\x80"]',
        b'["\xc0\x80"]',
        b'["a\nb"]',
        b"\xef\xbb\xbf{}",
        b"{}\x00",
        b"[1e400]",
        b"[-1e309]",
        b"[1e-400]",
        b"[9007199254740993.0]",
        b"[1234567890123456789.5]",
        b"[1%b]" % (b"0" * 5_000),
        b"[0.%b1]" % (b"0" * 500),
        b"[" * 100_000,
        b"[" * 50_000 + b"]" * 50_000,  # how deep is too deep, each version of Python has its own mind
        b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
    ],
)
def test_what_is_refused(data: bytes) -> None:
    """No JSON, or numbers that a double does not carry: refused, not guessed."""
    with pytest.raises(ValueError):  # noqa: PT011 - any of them
        jcs.canonical(data)


@pytest.mark.parametrize(
    "data",
    [
        b'{"a":1,"a":2}',
        b'{"a":1, "a":1}',
        b'{"a":1,"\\u0061":2}',
        b'[{"b":[{"a":1,"c":2,"a":3}]}]',
        b'{"":1,"":2}',
        b'{"a":"\\u0022","a":""}',
        b'{"a":"\\u0022\\u0022","a":"x"}',
        b'{"a":"\\\\u0022","a":1}',
        b'{"a":1,"a":1e20}',
        b'{"a":1,"a":2,"b":1e8}',  # loses as many bytes as the number gains
        b'{"a":0.00000001,"a":1,"b":1e20,"c":1e-5}',
        b'{"a\\"":1,"a\\u0022":2}',
        b'{"a":{"a":1,"x":"\\u0022"},"a":"\\"\\""}',
        b' { "q" : "\xe7\x9a\x84" , "q" : "\xe7\x9a\x84" } ',
    ],
)
def test_names_that_stand_twice(data: bytes) -> None:
    """Whoever reads such a text may take either value: it is refused at any depth, and nothing makes up for it."""
    with pytest.raises(ValueError, match="twice"):
        jcs.canonical(data)


NAME = st.sampled_from(['"a"', '"b"', '"\\u0061"', '"\\u0022"', '"\\""', '"\\\\u0022"', '"é"', '"\\u00e9"', '"😀"'])
LEAF = st.sampled_from(
    ['""', '"\\""', '"\\u0022"', '"\\\\\\u0022"', '"\\\\"', "1", "1e20", "1e-5", "1.0", "null", "{}"]
)


def objects(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    members = st.lists(st.tuples(NAME, inner, st.sampled_from(["", " ", "\n"])), max_size=5)
    return members.map(lambda some: "{" + ",".join(f"{gap}{name}:{gap}{value}" for name, value, gap in some) + "}")


@given(text=objects(st.recursive(LEAF, objects, max_leaves=8)))
def test_twice_is_seen_as_by_a_parser_that_looks(text: str) -> None:
    """Refused exactly where the other implementation, which sees every pair, finds a name twice."""
    data = text.encode()
    try:
        expected = rewritten(data)
    except ValueError:
        with pytest.raises(ValueError, match="twice"):
            jcs.canonical(data)
    else:
        assert jcs.canonical(data) == expected


def test_deep_names_that_must_be_put_in_order_have_a_bound() -> None:
    """The names of 😀 are ordered by our own code, which says so where it would go too deep."""
    inner = '{"😀":0,"\ufb00":1}'
    shallow = '{"x":' * 100 + inner + "}" * 100
    assert jcs.canonical(shallow.encode()) == rewritten(shallow.encode())
    with pytest.raises(ValueError, match="deep"):
        jcs.canonical(('{"x":' * 600 + inner + "}" * 600).encode())


def test_what_must_be_an_object() -> None:
    """A body is one."""
    for data in (b"[]", b"1", b'"a"', b"null"):
        with pytest.raises(ValueError, match="object"):
            jcs.read_object(data)
