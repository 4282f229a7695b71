"""Events and items from pieces: numbered, in order, and each said once."""

import json

from tests.providers.translate.responses_wire import followed, read
from tidegate.providers.translate.responses_output import Output, Script
from tidegate.providers.translate.words_chat import CalledDelta, ToolCallDelta


def test_a_script_numbers_its_events() -> None:
    """From 0, also when it is taken in parts."""
    script = Script()
    script.say(b"keepalive", b'"a":1')
    assert script.take() == b'event: keepalive\ndata: {"type":"keepalive","sequence_number":0,"a":1}\n\n'
    assert script.take() == b""
    script.say(b"keepalive", b'"a":2')
    assert b'"sequence_number":1' in script.take()


def test_text_and_refusal_are_parts_of_one_message() -> None:
    """Each whole before the next."""
    script = Script()
    output = Output("1", script)
    for piece, say in (("a", output.text), ("b", output.text), ("c", output.refusal), ("d", output.text)):
        say(piece)
    [item] = [json.loads(bytes(one)) for one in output.close(cut=False)]
    assert [part.get("text", part.get("refusal")) for part in item["content"]] == ["ab", "c", "d"]
    assert [part["type"] for part in item["content"]] == ["output_text", "refusal", "output_text"]
    assert len(read(script.take())) == 2 + 3 * 3 + 4


def test_pieces_may_be_cut_anywhere() -> None:
    """Escaped pieces in a row are the escaped whole."""
    output = Output("1", Script())
    whole = 'a"\\\n\u2028\x00世\U0001f600'
    for piece in whole:
        output.text(piece)
    [item] = output.close(cut=False)
    assert json.loads(bytes(item))["content"][0]["text"] == whole


def test_calls_stay_open_until_the_end() -> None:
    """Their arguments may come in turns."""
    script = Script()
    output = Output("1", script)
    for index, text in ((0, "a"), (1, "b"), (0, "c"), (1, "d")):
        output.call(ToolCallDelta(index, f"id{index}", CalledDelta(f"f{index}", text)), 0)
    items = [json.loads(bytes(one)) for one in output.close(cut=True)]
    assert [(item["name"], item["arguments"], item["status"]) for item in items] == [
        ("f0", "ac", "completed"),
        ("f1", "bd", "incomplete"),
    ]


def test_what_is_kept_is_counted() -> None:
    """Texts, and what an item costs beside them."""
    output = Output("1", Script())
    output.text("a" * 1_000)
    one = output.size
    assert one > 1_000
    output.call(ToolCallDelta(0, "id", CalledDelta("f", "a" * 1_000)), 0)
    assert output.size > one + 1_000


def test_the_events_are_a_stream() -> None:
    """Between an opening and an end they are what a client follows."""
    script = Script()
    for kind in (b"created", b"in_progress"):
        script.say(b"response." + kind, b'"response":%b' % _response(b"in_progress", b"[]"))
    output = Output("1", script)
    output.thought("a")
    output.text("b")
    output.call(ToolCallDelta(0, "id", CalledDelta("f", "{}")), 0)
    items = b"[%b]" % b",".join(map(bytes, output.close(cut=False)))
    script.say(b"response.completed", b'"response":%b' % _response(b"completed", items))
    assert [item["type"] for item in followed(read(script.take()))["output"]] == [
        "reasoning",
        "message",
        "function_call",
    ]


def _response(status: bytes, output: bytes) -> bytes:
    return (
        b'{"id":"resp_1","object":"response","created_at":1,"model":"m","parallel_tool_calls":true,"tools":[],'
        b'"tool_choice":"auto","status":"%b","output":%b}' % (status, output)
    )
