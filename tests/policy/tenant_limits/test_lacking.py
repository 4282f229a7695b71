"""How a call is told what it lacks of limits that other workers spend too."""

from tests.policy.tenant_limits.joint import NOW, WALL, Scene, tokens
from tidegate.policy.lease.faces import CLOSED, LOCAL, SHARED
from tidegate.policy.tenant_limits.ask import REQUEST, Ask
from tidegate.policy.tenant_limits.short import AWAY, BUSY, RATE, TOO_LARGE, Short


def lacks(scene: Scene, ask: Ask = REQUEST) -> Short:
    found = scene.account.short(ask, NOW, WALL)
    assert found is not None
    return found


def test_a_minute() -> None:
    """With the time that the fund said, while it is to come."""
    scene = Scene(SHARED, rpm=10)
    scene.joint.again_at = NOW + 7_000_000
    assert (lacks(scene).kind, lacks(scene).wait_us) == (RATE, 7_000_000)


def test_places_and_what_is_too_large() -> None:
    """Some will have ended soon; what is larger than the limit never passes."""
    assert lacks(Scene(SHARED, concurrent=3)).kind == BUSY
    assert lacks(Scene(SHARED, tpm=10), tokens(11)).kind == TOO_LARGE
    assert lacks(Scene(LOCAL, tpm=10), tokens(11)).kind == TOO_LARGE


def test_alone() -> None:
    """When the own part comes back; where nobody may pass, that nobody knows."""
    scene = Scene(LOCAL, rpm=4)
    assert scene.passes(REQUEST)
    assert lacks(scene).kind == RATE
    assert 59_000_000 < lacks(scene).wait_us <= 61_000_000
    assert lacks(Scene(CLOSED, rpm=4)).kind == AWAY
    assert lacks(Scene(LOCAL, tokens_day=100, on_loss_of_budget="closed"), tokens(1)).kind == AWAY
    assert Scene(LOCAL, tokens_day=100).account.short(tokens(1), NOW, WALL) is None
