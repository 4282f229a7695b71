"""What is derived from a client key."""

from tidegate.model.keys import digest_of, signing_key_of

KEY = "tg-example"


def test_what_is_kept_is_of_fixed_length_and_not_the_key() -> None:
    """Neither value holds the key, and the one does not give the other away."""
    found = (digest_of(KEY), signing_key_of(KEY))
    assert [len(value) for value in found] == [32, 32]
    assert found[0] != found[1]
    assert KEY.encode() not in b"".join(found)


def test_another_key_has_other_values() -> None:
    """Also when it differs in one character."""
    assert digest_of(KEY) != digest_of(KEY + "x")
    assert signing_key_of(KEY) != signing_key_of(KEY + "x")
