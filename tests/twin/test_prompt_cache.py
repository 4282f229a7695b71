"""Which prefixes are cached, where, and for how long."""

from hypothesis import given
from hypothesis import strategies as st

from tidegate.twin.prompt_cache import PromptCache, prefixes
from tidegate.twin.windows import SECOND

TTL = 300 * SECOND


def words(texts: tuple[str]) -> int:
    return sum(len(text.split()) for text in texts)


def cached(cache: PromptCache, texts: list[str], now: int, *, organisation: str = "org", least: int = 10) -> int:
    """Read, then write: one call."""
    prompt = prefixes(texts, words, least)
    found = cache.read(organisation, "m", prompt, now)
    cache.write(organisation, "m", prompt, now)
    return found


TURN = " ".join(["word"] * 16)  # 20 tokens with what a message costs


def test_the_next_turn_reads_what_the_last_one_wrote():
    """All of it, and nothing of what is new."""
    cache = PromptCache(TTL)
    assert cached(cache, [TURN], 0) == 0
    assert cached(cache, [TURN, TURN, "new"], 1) == 20
    assert cached(cache, [TURN, TURN, "new", TURN], 2) == 45


def test_a_changed_beginning_reads_nothing():
    """A prefix is everything before it."""
    cache = PromptCache(TTL)
    cached(cache, [TURN, TURN], 0)
    assert cached(cache, ["other", TURN], 0) == 0


def test_short_prefixes_are_never_cached():
    """Below the least number of tokens."""
    assert [prefix.tokens for prefix in prefixes(["a", TURN, TURN], words, 30)] == [45]


def test_it_is_the_organisations_own():
    """Another one begins anew."""
    cache = PromptCache(TTL)
    cached(cache, [TURN], 0)
    assert cached(cache, [TURN], 0, organisation="other") == 0


def test_use_prolongs_its_life():
    """Five minutes since the last use, not since the first."""
    cache = PromptCache(TTL)
    cached(cache, [TURN], 0)
    assert cached(cache, [TURN], TTL - 1) == 20
    assert cached(cache, [TURN], 2 * TTL - 2) == 20
    assert cached(cache, [TURN], 3 * TTL) == 0


def test_the_longest_unused_is_forgotten_first():
    """Memory is bounded."""
    cache = PromptCache(TTL, most=2)
    for text in ("a " * 10, "b " * 10, "c " * 10):
        cached(cache, [text], 0)
    assert [cached(cache, [text], 1) > 0 for text in ("c " * 10, "b " * 10)] == [True, True]


@given(st.lists(st.text(alphabet="ab ", min_size=1), max_size=8))
def test_a_prompt_is_its_own_longest_prefix(texts):
    """Sent twice, all of it is read."""
    cache = PromptCache(TTL)
    cached(cache, texts, 0, least=1)
    whole = prefixes(texts, words, 1)
    assert cached(cache, texts, 0, least=1) == (whole[-1].tokens if whole else 0)


def marked(cache: PromptCache, texts: list[str], now: int, *breakpoints: int) -> int:
    """Read, then write, with marks of its own: one call."""
    prompt = prefixes(texts, words, 10, breakpoints)
    found = cache.read("org", "m", prompt, now)
    cache.write("org", "m", prompt, now)
    return found


def test_only_what_is_marked_is_kept():
    """A prefix without a mark is not there for the next call; what comes after the last mark is no prefix."""
    cache = PromptCache(TTL)
    assert marked(cache, [TURN, TURN, TURN], 0, 1) == 0
    assert marked(cache, [TURN], 1, 0) == 0
    assert marked(cache, [TURN, TURN, "new"], 2, 2) == 40
    assert [prefix.tokens for prefix in prefixes([TURN, TURN], words, 10, ())] == []


def test_what_was_marked_before_may_be_read_and_lives_on():
    """A call whose mark stands later reads the earlier prefix, and uses it."""
    cache = PromptCache(TTL)
    marked(cache, [TURN, TURN], 0, 0)
    assert marked(cache, [TURN, TURN], TTL - 1, 1) == 20
    assert marked(cache, [TURN, "other"], 2 * TTL - 2, 1) == 20
