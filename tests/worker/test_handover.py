"""What a worker takes over from the one it succeeds."""

from pathlib import Path

from msgspec.structs import replace

from tests.journal.facts import FixedClock, record
from tidegate.journal.journal import Journal
from tidegate.model.entitlements import Allowance, ClientKey
from tidegate.model.facts import CallRecord
from tidegate.model.snapshot import JournalSettings
from tidegate.worker.handover import take_over
from tidegate.worker.spent import Spent

SMALL = JournalSettings(segment_bytes=65_536)
KEY = ClientKey("app", b"", allowance=Allowance(tokens_day=1_000_000))


def ended(call: int) -> CallRecord:
    """A call of 100 tokens."""
    return replace(record(call), tenant="app", prompt_tokens=100, completion_tokens=0)


def spent_by(spent: Spent) -> int:
    """Tokens of the key's day."""
    spent.limits(None, None, KEY)
    (gauge,) = [one for one in spent.gauges() if one.key == "app" and one.period == "tokens_day"]
    return gauge.used


def test_it_remembers_what_the_other_one_does_and_nothing_of_an_earlier_life(tmp_path: Path) -> None:
    """A file that the predecessor has not is none of the successor's."""
    before, own = tmp_path / "before", tmp_path / "own"
    before.mkdir()
    own.mkdir()
    (before / "learnt.json").write_bytes(b"{}")
    (own / "learnt.json").write_bytes(b"old")
    (own / "nonces").write_bytes(b"old")
    take_over(own, before)
    assert (own / "learnt.json").read_bytes() == b"{}"
    assert sorted(path.name for path in own.iterdir()) == ["learnt.json"]


async def test_sums_go_on_and_later_ends_are_added_once(tmp_path: Path) -> None:
    """What the predecessor saved, what it journalled since, and what its last calls come to while both live."""
    clock = FixedClock()
    before, own = tmp_path / "before", tmp_path / "own"
    journal = Journal(before / "journal", SMALL, clock)
    first = Spent(before, clock)
    journal.append(ended(1))
    first.accounts.replay(ended(1))
    await first.save(journal)
    journal.append(ended(2))
    take_over(own, before)
    later = Journal(own / "journal", SMALL, clock)
    second = Spent(own, clock, before)
    assert spent_by(second) == 200
    journal.append(ended(3))
    await second.save(later)
    assert spent_by(second) == 300
    await second.save(later)
    assert spent_by(second) == 300
    assert spent_by(Spent(own, clock)) == 300
    journal.close()
    later.close()
