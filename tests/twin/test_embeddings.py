"""Embeddings that cost nothing to make."""

from tidegate.twin import embeddings


def test_embeddings_are_unit_vectors_told_apart():
    """The same text gives the same vector, another another."""
    one, other = embeddings.vector("a", 1_536), embeddings.vector("b", 1_536)
    assert one == embeddings.vector("a", 1_536)
    assert one != other
    assert abs(sum(value * value for value in one) - 1) < 1e-9


def test_the_empty_text_has_a_vector_too():
    """Its checksum is zero, its signs are not all the same."""
    assert len(set(embeddings.vector("", 64))) == 2
