"""Lines of output."""

import json

import pytest

from tidegate.jobs.batches.answers import Ended, told
from tidegate.jobs.batches.records import ANTHROPIC, OPENAI, Fault
from tidegate.model.jobs import CANCELLED, DEAD, DONE, FAILED


@pytest.mark.parametrize("kind", [OPENAI, ANTHROPIC])
@pytest.mark.parametrize(
    "body",
    [b'{\r\n "a": 1\n}', '{"a": "x\u2028y\u2029z\u0085"}'.encode(), b'{"n": 1.50}', b"\xff\xfe", b"no json\n\x0b", b""],
)
def test_an_answer_is_one_line_to_any_reader(kind: str, body: bytes) -> None:
    """Whatever the body is: JSON as it was, else as a text; also to who splits by what Unicode calls a line's end."""
    ended = Ended(line=1, custom_id="a\u2028", state=DONE, status=200, body=body)
    text = told(kind, "batch_1", ended).text.decode()
    assert len(text.splitlines()) == 1
    assert text.endswith("\n")
    line = json.loads(text)
    assert line["custom_id"] == "a\u2028"
    answer = line["response"]["body"] if kind == OPENAI else line["result"]["message"]
    try:
        assert answer == json.loads(body)
    except ValueError:
        assert answer == body.decode(errors="replace")


@pytest.mark.parametrize(
    ("ended", "openai", "anthropic"),
    [
        ({"state": DONE, "status": 200}, "", "succeeded"),
        ({"state": FAILED, "status": 400}, "", "errored"),
        ({"state": DEAD, "status": 500}, "", "errored"),
        ({"state": DEAD, "reason": "crashed: x"}, "request_failed", "errored"),
        ({"state": DEAD, "late": True}, "batch_expired", "expired"),
        ({"state": CANCELLED, "late": True}, "batch_expired", "expired"),
        ({"state": CANCELLED}, "batch_cancelled", "canceled"),
        ({"fault": Fault("batch_cancelled", "x", 1)}, "batch_cancelled", "canceled"),
        ({"fault": Fault("batch_expired", "x", 1)}, "batch_expired", "expired"),
        ({"fault": Fault("invalid_json_line", "x", 1)}, "invalid_json_line", "errored"),
    ],
)
def test_how_lines_end(ended: dict[str, object], openai: str, anthropic: str) -> None:
    """Each end in both makers' words, and counted as one line."""
    given = Ended(line=1, custom_id="a", body=b'{"x": 1}' if ended.get("status") else b"", **ended)  # type: ignore[arg-type]
    one = told(OPENAI, "batch_1", given)
    line = json.loads(one.text)
    assert (line["error"] or {}).get("code", "") == openai
    assert (line["response"] is None) == bool(openai)
    assert one.good == (anthropic == "succeeded")
    assert one.tally.total == 1
    assert one.tally.open == 0
    assert json.loads(told(ANTHROPIC, "batch_1", given).text)["result"]["type"] == anthropic
