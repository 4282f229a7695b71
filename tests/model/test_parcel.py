"""A configuration survives its way to another node, and is told from another by its digest."""

import msgspec
import pytest

from tidegate.model.parcel import Kept, Parcel, digest, encode, kept_of, parcel_of


def test_parcels_and_what_is_kept_come_back_as_they_were() -> None:
    """Bytes for bytes: nothing of the text is understood on the way."""
    parcel = Parcel(b"clients: {keys_file: k}\n\xff", (("k", b"name digest\n"),))
    assert parcel_of(encode(parcel)) == parcel
    kept = Kept(3, encode(parcel), "a", b"before", "seen")
    assert kept_of(encode(kept)) == kept


def test_a_digest_tells_one_parcel_from_another() -> None:
    """Also where only a file that belongs to it differs."""
    one, two = (encode(Parcel(b"text", (("k", content),))) for content in (b"1", b"2"))
    assert digest(one) != digest(two)
    assert digest(one) == digest(encode(parcel_of(one)))


@pytest.mark.parametrize("data", [b"", b"\xc1", encode(Kept())[:-1], b"\x81\xa1a\x01"])
def test_what_is_damaged_is_no_parcel(data: bytes) -> None:
    """It is said by an exception, and never half understood."""
    with pytest.raises(msgspec.DecodeError):
        kept_of(data)
    with pytest.raises(msgspec.DecodeError):
        parcel_of(data)
