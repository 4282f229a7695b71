"""The frames between supervisor and children, without any I/O."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tidegate.supervisor.messages import (
    Decoder,
    Died,
    Drain,
    Go,
    HandOver,
    Load,
    Loaded,
    Named,
    Part,
    ProtocolError,
    Quiet,
    Ready,
    Rejected,
    Source,
    Status,
    Warm,
    Workers,
    WorkerState,
    encode,
)

U32 = st.integers(0, 2**32 - 1)
MESSAGES = st.one_of(
    st.builds(Load, st.binary(max_size=200)),
    st.builds(Ready, U32),
    st.builds(Died, U32, st.integers(0, 2**64 - 1)),
    st.builds(Rejected, st.text(max_size=50)),
    st.sampled_from([Drain(), Go(), HandOver(), Quiet(), Warm(shares=True), Warm(shares=False)]),
    st.builds(
        Loaded,
        st.booleans(),
        st.booleans(),
        st.integers(0, 2**64 - 1),
        st.binary(max_size=50),
        st.lists(
            st.builds(Part, st.text(max_size=9), st.integers(0, 65_535), U32, st.binary(max_size=50)), max_size=3
        ).map(tuple),
        st.binary(max_size=50),
        st.lists(st.from_regex(r"[a-z]{1,9}(-[0-9])?", fullmatch=True), max_size=3).map(tuple),
        st.booleans(),
        st.booleans(),
    ),
    st.builds(Source, st.just("/a/file"), st.lists(st.sampled_from(["--node", "", "ö"]), max_size=3).map(tuple)),
    st.builds(Named, st.lists(st.text(st.characters(exclude_characters="\0"), min_size=1), max_size=3).map(tuple)),
    st.builds(Status, st.booleans(), st.booleans(), U32, U32),
    st.lists(
        st.builds(WorkerState, U32, st.text(), U32, st.booleans(), U32, U32, U32, st.text(), st.text()), max_size=3
    ).map(lambda states: Workers(tuple(states))),
)


@given(messages=st.lists(MESSAGES, max_size=6), cuts=st.lists(st.integers(1, 9), min_size=1, max_size=5))
def test_every_split_of_the_stream_gives_the_same_messages(messages: list, cuts: list[int]) -> None:
    """However the bytes arrive, the messages come out whole and in order."""
    stream = b"".join(encode(message) for message in messages)
    decoder, received, position, turn = Decoder(), [], 0, 0
    while position < len(stream):
        step = cuts[turn % len(cuts)]
        received += decoder.feed(stream[position : position + step])
        position, turn = position + step, turn + 1
    assert received == messages
    assert [type(message) for message in received] == [type(message) for message in messages]


@pytest.mark.parametrize(
    "frame",
    [
        b"Z\0\0\0\0",
        b"W\0\0\0\2{1",
        b"W\0\0\0\3[1]",
        b"O\0\0\0\1x",
        b"R\0\0\0\1x",
        b"X\0\0\0\1\xff",
        b"L\xff\xff\xff\xff",
    ],
)
def test_what_is_no_frame_of_ours_is_refused(frame: bytes) -> None:
    """Unknown kinds, wrong sizes, broken text and absurd lengths are a `ProtocolError`, never a hang."""
    with pytest.raises(ProtocolError):
        Decoder().feed(frame)
