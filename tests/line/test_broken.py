"""A provider that fails on purpose."""

import pytest

from tests.line.scenes import PROFILE
from tidegate.line.broken import BrokenTransport, words
from tidegate.model.drills import BROKEN, CUT, RATE, TIMEOUT
from tidegate.model.outcome import Reason
from tidegate.model.snapshot import Profile, RefusalRule
from tidegate.policy.failure.classify import ProviderError, verdict
from tidegate.ports import TransportError


@pytest.mark.parametrize(("fault", "reason"), [(RATE, Reason.RATE), (BROKEN, Reason.OVERLOAD)])
async def test_it_is_refused_in_its_own_words(fault: str, reason: Reason) -> None:
    """Words that its profile knows, so that what they mean is proved as well."""
    reply = await BrokenTransport(PROFILE, fault).send(b"", b"", stream=False, deadline=1)
    found = verdict(ProviderError(reply.status, text=reply.body.decode()), PROFILE.refusals)
    assert (found.reason, found.known) == (reason, True)


def test_a_profile_that_says_nothing() -> None:
    """Goes by the status; a row with another status is not taken for a 429."""
    bare = Profile("x", "openai", "", "")
    assert words(bare, RATE)[0] == 429
    assert words(bare, BROKEN)[0] == 503
    odd = Profile("x", "openai", "", "", refusals=(RefusalRule("RATE", status=403), RefusalRule("RATE", code="slow")))
    assert words(odd, RATE) == (429, words(odd, RATE)[1])
    assert words(odd, RATE)[1].code == "slow"


async def test_time_outs_and_cuts() -> None:
    """A time-out is not waited for; what is cut streams, and breaks before anything came."""
    with pytest.raises(TransportError) as failed:
        await BrokenTransport(PROFILE, TIMEOUT).send(b"", b"", stream=True, deadline=1)
    assert failed.value.sent
    reply = await BrokenTransport(PROFILE, CUT).send(b"", b"", stream=True, deadline=1)
    heard: list[TransportError] = []

    class Sink:
        def chunk(self, data: bytes) -> None:
            raise AssertionError

        def end(self) -> None:
            raise AssertionError

        def failed(self, error: TransportError) -> None:
            heard.append(error)

    assert reply.stream is not None
    reply.stream.attach(Sink())
    assert len(heard) == 1
