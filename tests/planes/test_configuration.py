"""Which snapshot is in force."""

from tidegate.planes.configuration import Configuration
from tidegate.planes.messages import Load, Loaded


def loaded(name: bytes) -> Loaded:
    return Loaded(clients=False, tls=False, drain_timeout_us=1, snapshot=name)


def opened(name: bytes) -> Configuration:
    configuration = Configuration()
    configuration.next_version()
    configuration.offer(loaded(name))
    return configuration


def test_the_first_snapshot_is_good_at_once() -> None:
    """There is nothing to go back to; the worker's word on it is no trial."""
    configuration = Configuration()
    assert configuration.load() is None
    assert configuration.next_version() == 1
    assert configuration.offer(loaded(b"a")) == Load(b"a")
    assert (configuration.version, configuration.load()) == (1, Load(b"a"))
    assert configuration.accepted() is False


def test_a_new_one_is_on_trial_until_it_is_accepted() -> None:
    """A worker that is started meanwhile gets the last good one."""
    configuration = opened(b"a")
    configuration.next_version()
    configuration.offer(loaded(b"b"))
    assert configuration.on_trial
    assert (configuration.version, configuration.load()) == (1, Load(b"a"))
    assert configuration.accepted() is True
    assert (configuration.version, configuration.load()) == (2, Load(b"b"))
    assert configuration.accepted() is False


def test_a_refused_one_leaves_no_trace_but_its_number() -> None:
    """Versions count loads, so the next one is told apart."""
    configuration = opened(b"a")
    configuration.next_version()
    configuration.offer(loaded(b"b"))
    assert configuration.refused() is True
    assert configuration.refused() is False
    assert configuration.accepted() is False
    assert configuration.load() == Load(b"a")
    assert configuration.next_version() == 3
