"""Control asks for the file to be read, and hears once what became of it."""

from tidegate.supervisor.asked import Asked
from tidegate.supervisor.configuration import Configuration
from tidegate.supervisor.messages import Decoder, Loaded, Reload, Reloaded, encode

GOOD = Loaded(clients=True, tls=False, drain_timeout_us=1, snapshot=b"s")


def serving() -> Configuration:
    configuration = Configuration()
    configuration.next_version()
    configuration.offer(GOOD)
    return configuration


def test_it_hears_when_all_serve_by_it() -> None:
    """Not while it is read, and not while a worker owes its verdict."""
    asked, configuration = Asked(), serving()
    asked.ask(7)
    assert asked.settled(configuration) is None
    version = configuration.next_version()
    asked.reading(version)
    assert asked.settled(configuration) is None
    asked.offered()
    configuration.offer(GOOD, ["a", "b"])
    configuration.accepted("a", version)
    assert asked.settled(configuration) is None
    configuration.accepted("b", version)
    assert asked.settled(configuration) == Reloaded(7, version, "")
    assert asked.settled(configuration) is None


def test_it_hears_why_not() -> None:
    """From the loader, or from the worker that refuses."""
    asked, configuration = Asked(), serving()
    asked.ask(1)
    asked.reading(configuration.next_version())
    assert asked.failed(99, "another one") is None
    assert asked.failed(2, "line 3") == Reloaded(1, 0, "line 3")
    asked.ask(2)
    asked.reading(configuration.next_version())
    asked.offered()
    configuration.offer(GOOD, ["a"])
    configuration.refused("worker refused it: no")
    assert asked.settled(configuration) == Reloaded(2, 0, "worker refused it: no")


def test_nobody_asked() -> None:
    """A file that changed by itself is told to nobody."""
    asked, configuration = Asked(), serving()
    asked.reading(configuration.next_version())
    asked.offered()
    assert asked.settled(configuration) is None
    assert asked.failed(2, "line 3") is None


def test_whoever_waits_when_the_gate_ends_is_told_at_once() -> None:
    """Both who asked before the file was read and who asked since; nobody twice."""
    asked, configuration = Asked(), serving()
    assert asked.over("the gate ends") == []
    asked.ask(1)
    asked.reading(configuration.next_version())
    asked.offered()
    asked.ask(2)
    assert asked.over("the gate ends") == [Reloaded(1, 0, "the gate ends"), Reloaded(2, 0, "the gate ends")]
    assert asked.over("the gate ends") == []
    assert asked.settled(configuration) is None


def test_frames() -> None:
    """Both messages survive the way."""
    messages = [Reload(3), Reloaded(3, 9, ""), Reloaded(4, 0, "wrong: é")]
    assert Decoder().feed(b"".join(map(encode, messages))) == messages
