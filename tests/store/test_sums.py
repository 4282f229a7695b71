"""What a batch adds up to, and how many rows an hour can have."""

from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.journal.facts import record
from tidegate.store.sums import MOST_WORDS, OTHER, Sums, Words

HOUR = 400_000


def test_the_words_of_a_namespace_are_bounded() -> None:
    """Those of clients' choosing: the first stay, the rest is one; in each hour and namespace anew."""
    words = Words()
    tags = [words.of_call(HOUR, "acme", ("plan", "model", f"tag-{number}"))[2] for number in range(MOST_WORDS + 5)]
    assert tags[0] == "tag-0"
    assert tags[-1] == OTHER
    assert len(set(tags)) == MOST_WORDS + 1
    assert words.of_call(HOUR, "acme", ("plan", "model", "tag-0")) == ("plan", "model", "tag-0")
    assert words.of_call(HOUR, "acme", ("other plan", "model", "tag-new")) == ("other plan", "model", OTHER)
    assert words.of_call(HOUR, "globex", ("plan", "model", "tag-new"))[2] == "tag-new"
    assert words.of_call(HOUR + 1, "acme", ("plan", "model", "tag-new"))[2] == "tag-new"


def test_only_two_hours_words_are_kept() -> None:
    """So that memory does not grow with time."""
    words = Words()
    for hour in range(HOUR, HOUR + 50):
        words.of_call(hour, "acme", ("plan", "model", ""))
        words.of_call(hour, "acme", ("plan", "model", "tag"))
    assert len(words._firsts) <= 2
    assert len(words._hours) <= 2


def test_rows_come_in_the_order_of_their_keys_and_only_with_something_in_them() -> None:
    """Two writers lock them in the same order; a place where nothing was counted is no row."""
    sums, numbers = Sums(Words()), count(1)
    for tenant in ("globex", "acme", "initech"):
        call = replace(record(next(numbers)), tenant=tenant)
        sums.called(call, sums.place(call))
    sums.place(replace(record(next(numbers)), tenant="nobody"))
    assert [row[1] for row in sums.rows()] == ["acme", "globex", "initech"]


@settings(max_examples=30)
@given(st.lists(st.tuples(st.sampled_from("abc"), st.sampled_from(["", "x", "y"]), st.integers(0, 99)), max_size=30))
def test_nothing_is_lost_and_nothing_counted_twice(calls: list[tuple[str, str, int]]) -> None:
    """Whatever the calls have in common."""
    sums = Sums(Words())
    for number, (tenant, tag, tokens) in enumerate(calls):
        call = replace(record(number), tenant=tenant, tag=tag, prompt_tokens=tokens)
        sums.called(call, sums.place(call))
    rows, names = sums.rows(), Sums.NAMES
    assert sum(row[9 + names.index("calls")] for row in rows) == len(calls)
    assert sum(row[9 + names.index("prompt_tokens")] for row in rows) == sum(tokens for _, _, tokens in calls)
    assert len(rows) == len({(tenant, tag) for tenant, tag, _ in calls})
