"""A kept answer."""

from tidegate.model.cached import KEY_BYTES, CacheEntry, Cost, Labels


def test_its_size_grows_with_what_it_holds() -> None:
    """By the byte of its body and by each piece of its stream."""

    def size(body: bytes, beats: tuple[tuple[int, int], ...] = ()) -> int:
        labels, cost = Labels("n", "p/m", "s"), Cost(1, 2, 3)
        return CacheEntry(bytes(KEY_BYTES), "chat", "openai", body, bool(beats), beats, labels, cost, 1, 2, 3, 4).size

    assert size(b"x" * 1_000) == size(b"") + 1_000
    assert size(b"", ((1, 0),)) > size(b"")
