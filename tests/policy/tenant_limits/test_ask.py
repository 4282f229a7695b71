"""What a call will probably spend."""

from tidegate.model.snapshot import Price
from tidegate.policy.money import rates
from tidegate.policy.tenant_limits.ask import REQUEST, Ask
from tidegate.policy.tenant_limits.outlook import UNKNOWN, Outlook

PRICES = rates([Price(prompt=1_000_000_000, completion=4_000_000_000, cached=100_000_000)])


def seen(*produced: int) -> Outlook:
    known = Outlook()
    for tokens in produced:
        known.learn(tokens)
    return known


def test_nothing_is_known_at_first() -> None:
    """What is stated is held, up to a bound; alone, a call counts on its prompt."""
    assert Ask(100, 80, 0, None, PRICES, makes=True).tokens == 100 + UNKNOWN
    assert Ask(100, 80, 50, None, PRICES, makes=True).tokens == 150
    assert Ask(100, 80, 1_000_000, None, PRICES, makes=True).tokens == 100 + UNKNOWN
    assert Ask(100, 80, 50, None, PRICES, makes=True).usual(money=False) == 100


def test_what_is_learnt_counts_and_not_what_is_stated() -> None:
    """`max_tokens` only caps it."""
    known = seen(*range(32))
    asks = [Ask(100, 80, stated, known, PRICES, makes=True) for stated in (0, 1_000_000, 10)]
    assert [ask.tokens for ask in asks] == [130, 130, 110]
    assert [ask.usual(money=False) for ask in asks] == [116, 116, 110]


def test_in_money() -> None:
    """By the prices of where it goes first; at least, its prompt is cached."""
    ask = Ask(100, 80, 0, seen(10), PRICES, makes=True)
    assert ask.nano == 100 * 1_000 + 10 * 4_000
    assert ask.usual(money=True) == 140_000
    assert ask.least(money=True) == 80 * 100
    assert ask.least(money=False) == 80
    assert Ask(100, 80, 0, seen(10), (), makes=True).nano == 0


def test_what_makes_no_output() -> None:
    """An embedding is its prompt; what is forwarded unread is a request and no more."""
    ask = Ask(100, 80, 0, None, PRICES, makes=False)
    assert (ask.tokens, ask.usual(money=False)) == (100, 100)
    assert (REQUEST.tokens, REQUEST.nano, REQUEST.least(money=False)) == (0, 0, 0)
