"""The report in its three forms."""

from html.parser import HTMLParser

from tidegate.judge.course import DISCIPLINES
from tidegate.judge.page import page
from tidegate.judge.report import Session, lines, tree
from tidegate.judge.rules import Measure, Verdict

HOSTILE = "<script>alert(1)</script>"
SESSION = Session(
    gateway=f"Gate {HOSTILE}", settings="", when="2026-11-22T00:00:00Z", command="tidegate judge", machine="2 CPUs",
    versions={"tidegate": "0"}, seed=7, quick=True, replicas=2, window="fixed", dialect="openai", late_us=[1_000],
)  # fmt: skip
VERDICTS = [
    Verdict("requests", (Measure("quota used", 99.5, "%", 99.5, "value", "a note"),), arrivals="3 calls"),
    Verdict("fairness", why_not="one key only"),
    Verdict("failover", (Measure("unary", 50, "%", 50),), details=(f"500: {HOSTILE}",)),
]


def test_json_has_all_that_a_reader_needs_to_repeat_it() -> None:
    """Rules' version, seed, load, digests of arrivals, the referee's own delay; and what does not apply is no zero."""
    found = tree(SESSION, VERDICTS, DISCIPLINES)
    assert found["rules"] == 1
    assert found["load"] == {"seed": 7, "length": "quick", "replicas": 2, "window": "fixed", "dialect": "openai"}
    assert found["score"] == 74.75
    assert found["disciplines_judged"] == 2
    assert [one["score"] for one in found["disciplines"]] == [99.5, None, 50]
    assert found["disciplines"][0]["offered"] == "3 calls"
    assert found["referee"]["own_delay_p99_ms"] == 1.0
    assert not found["referee"]["too_busy_to_judge_by"]


def test_text_says_when_the_machine_was_too_busy() -> None:
    """Figures that a late referee took are not to be published."""
    late = Session(**{name: getattr(SESSION, name) for name in Session.__slots__} | {"late_us": [200_000]})  # type: ignore[attr-defined]
    assert "too busy" in "\n".join(lines(tree(late, VERDICTS, DISCIPLINES)))
    text = "\n".join(lines(tree(SESSION, VERDICTS, DISCIPLINES)))
    assert "too busy" not in text
    assert "not applicable: one key only" in text


class Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in {"src", "href"}]


def test_the_page_needs_nothing_else() -> None:
    """No script, no link, no other host; and whatever a gateway says is only text."""
    html = page(tree(SESSION, VERDICTS, DISCIPLINES))
    reader = Reader()
    reader.feed(html)
    assert "script" not in reader.tags
    assert reader.links == []
    assert "http" not in html
    assert HOSTILE not in html
