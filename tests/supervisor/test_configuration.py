"""Which configuration is in force."""

from tidegate.supervisor.configuration import Configuration
from tidegate.supervisor.messages import Loaded, Part


def loaded(name: bytes, *parts: str) -> Loaded:
    isolated = tuple(Part(part, 0, 0, name + part.encode()) for part in parts)
    return Loaded(clients=False, tls=False, drain_timeout_us=1, snapshot=name, parts=isolated)


def opened(name: bytes, *parts: str) -> Configuration:
    configuration = Configuration()
    configuration.next_version()
    configuration.offer(loaded(name, *parts))
    return configuration


def on_trial(*workers: str) -> Configuration:
    """`b` on trial before these workers, `a` in force."""
    configuration = opened(b"a", "gold")
    configuration.next_version()
    configuration.offer(loaded(b"b", "gold"), workers)
    return configuration


def test_the_first_configuration_is_good_at_once() -> None:
    """There is nothing to go back to; a worker's word on it is no trial."""
    configuration = Configuration()
    assert configuration.current("") is None
    assert configuration.next_version() == 1
    configuration.offer(loaded(b"a", "gold"))
    assert configuration.version == 1
    assert configuration.current("") == (1, b"a")
    assert configuration.current("gold") == (1, b"agold")
    assert configuration.current("other") is None
    assert configuration.accepted("", 1) is False


def test_a_new_one_is_in_force_once_all_accept_it() -> None:
    """Whoever is started meanwhile is told the one on trial, and has a say."""
    configuration = on_trial("", "gold")
    assert configuration.on_trial
    assert (configuration.version, configuration.current("gold")) == (1, (2, b"bgold"))
    assert configuration.accepted("gold", 2) is False
    assert configuration.accepted("gold", 2) is False
    assert configuration.accepted("", 1) is False  # its word on the one before
    assert configuration.on_trial
    assert configuration.accepted("", 2) is True
    assert (configuration.version, configuration.current("")) == (2, (2, b"b"))
    assert configuration.accepted("", 2) is False


def test_one_refusal_is_enough() -> None:
    """Whatever the others said; versions count loads, so the next one is told apart."""
    configuration = on_trial("", "gold")
    configuration.accepted("", 2)
    assert configuration.tried(2)
    assert not configuration.tried(1)
    assert configuration.refused() is True
    assert configuration.refused() is False
    assert configuration.accepted("gold", 2) is False
    assert configuration.current("") == (1, b"a")
    assert not configuration.tried(2)
    assert configuration.next_version() == 3
