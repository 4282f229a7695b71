"""How far headers are believed."""

from tidegate.policy.learned.trust import DISTRUSTED, FULL, JUMP, NONSENSE, START, Trust


def test_trust_is_earned_slowly_and_lost_at_once() -> None:
    """Within its bounds."""
    trust = Trust()
    trust.contradict(JUMP)
    lost = START - trust.score
    trust.agree()
    assert 0 < trust.score - (START - lost) < lost
    for _ in range(FULL):
        trust.agree()
    assert trust.score == FULL
    for _ in range(FULL):
        trust.contradict(NONSENSE)
    assert trust.score == 0
    assert (Trust(-5).score, Trust(5_000).score) == (0, FULL)


def test_who_is_doubted_needs_more_witnesses() -> None:
    """And below a score nothing is believed at all."""
    good, doubted, lost = Trust(START), Trust(START - 1), Trust(DISTRUSTED - 1)
    assert (good.good, doubted.good) == (True, False)
    assert 1 < good.needed < doubted.needed
    assert (doubted.believed, lost.believed) == (True, False)
