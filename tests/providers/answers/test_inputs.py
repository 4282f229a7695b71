"""Embeddings by input: what is known is not asked for again, and the answer is as the provider would have given it."""

import base64
import json
from array import array
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from openai.types import CreateEmbeddingResponse

from tests.providers.answers.wholes import dumped
from tests.providers.served import served
from tidegate.model.outcome import Usage
from tidegate.providers.answers.inputs import inputs, merged, reduced, vectors


def request(given_input: object, **fields: object) -> bytes:
    return dumped({"model": "text-embedding-3-small", "input": given_input, **fields})


def vector(text: Any) -> Any:
    """What the provider of these tests makes of an input."""
    return [float(len(json.dumps(text))), 0.25]


def answered(body: bytes, **fields: object) -> bytes:
    """The provider."""
    asked = json.loads(body)["input"]
    listed = asked if isinstance(asked, list) and not isinstance(asked[0], int) else [asked]
    data = [{"object": "embedding", "index": at, "embedding": vector(text)} for at, text in enumerate(listed)]
    usage = {"prompt_tokens": len(listed), "total_tokens": len(listed)}
    return dumped({"object": "list", "data": data, "model": "text-embedding-3-small", "usage": usage, **fields})


@pytest.mark.parametrize(
    ("given_input", "told"),
    [
        ("héllo", ['"héllo"']),
        (["a", "b"], ['"a"', '"b"']),
        (["a", "a"], ['"a"', '"a"']),
        ([1, 2, 3], ["[1,2,3]"]),
        ([[1, 2], [3]], ["[1,2]", "[3]"]),
        ("", ['""']),
    ],
)
def test_inputs(given_input: object, told: list[str]) -> None:
    """A text or an array of tokens is one input; a list of them is several."""
    assert inputs(request(given_input)) == tuple(text.encode() for text in told)


def test_canonical() -> None:
    """However the client escapes or spaces it, an input is the same bytes."""
    written = rb'{"input": ["h\u00e9llo \/ \ud83d\ude00", "\t"]}'
    assert inputs(written) == ('"héllo / 😀"'.encode(), b'"\\t"')
    assert inputs(b'{"input": [ [1, 2] ,[ 3 ] ]}') == (b"[1,2]", b"[3]")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"{}",
        request([]),
        request([1, "a"]),
        request(["a", [1]]),
        request(["a", None]),
        request([1.5]),
        request([[True]]),
        request({"text": "a"}),
        request([{"type": "image_url"}]),
        request(["a", "b"], late_chunking=True),
    ],
)
def test_what_cannot_be_split(body: bytes) -> None:
    """Other forms, mixed ones, and inputs that are embedded in each other's context."""
    assert inputs(body) is None


def test_reduced() -> None:
    """Only what is wanted, in its order; everything else, and each input, as the client wrote it."""
    body = b'{"model" : "m", "input": ["\\u0061", "b" , [1, 2], "d"], "dimensions": 2.0e2, "x": {"y" : 1}}'
    assert reduced(body, [3, 0]) == b'{"model":"m","input":["d","\\u0061"],"dimensions":2.0e2,"x":{"y" : 1}}'
    assert reduced(body, []) == b'{"model":"m","input":[],"dimensions":2.0e2,"x":{"y" : 1}}'
    assert json.loads(reduced(request("a"), [0]))["input"] == ["a"]
    assert json.loads(reduced(request([1, 2]), [0]))["input"] == [[1, 2]]
    assert json.loads(reduced(request([[1, 2], [3]]), [1]))["input"] == [[3]]


def test_vectors() -> None:
    """Raw, in the order of their index; base64 as well as numbers, whatever their form."""
    told = b'{"data":[{"index":1,"embedding":"AACAPw=="},{"embedding":[1.0, 2e-1],"index":0}]}'
    assert vectors(told) == (b"[1.0, 2e-1]", b'"AACAPw=="')
    assert vectors(b'{"data":[{"embedding":[1]},{"embedding":[2]}]}') == (b"[1]", b"[2]")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"{}",
        b'{"data":[]}',
        b'{"data":[{"index":0}]}',
        b'{"data":[{"index":1,"embedding":[1]}]}',
        b'{"data":[{"index":0,"embedding":[1]},{"index":0,"embedding":[2]}]}',
        b'{"error":{"message":"overloaded"}}',
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    """A place that is missing or there twice must not shift the others."""
    with pytest.raises(ValueError):  # noqa: PT011 - the decoder's words
        vectors(answer)


@given(
    st.lists(st.text(max_size=6), min_size=1, max_size=6)
    | st.lists(st.lists(st.integers(0, 9), min_size=1), min_size=1),
    st.sets(st.integers(0, 5)),
)
def test_put_together(asked: list[Any], known: set[int]) -> None:
    """With some inputs known and the others asked for, the answer is what the provider would have said to all."""
    body = request(asked)
    whole = answered(body)
    kept = dict(enumerate(vectors(whole)))
    wanted = [n for n in range(len(asked)) if n not in known]
    answer = answered(reduced(body, wanted)) if wanted else None
    fresh = dict(zip(wanted, vectors(answer) if answer else (), strict=True))
    parts = [fresh[n] if n in fresh else kept[n] for n in range(len(asked))]
    assert json.loads(merged(answer, "text-embedding-3-small", parts, Usage(len(asked)))) == json.loads(whole)


def test_fields_of_the_provider_stay() -> None:
    """Its id, and the model as it calls it; without it the name that we know."""
    answer = answered(request(["a"]), id="emb_1", model="provider's")
    told = json.loads(merged(answer, "ours", [b"[1]", b"[2]"], Usage(5)))
    assert (told["id"], told["model"], len(told["data"])) == ("emb_1", "provider's", 2)
    assert told["usage"] == {"prompt_tokens": 5, "total_tokens": 5}
    assert json.loads(merged(None, "ours", [b"[1]"], Usage()))["model"] == "ours"


def test_the_sdk_reads_both_formats() -> None:
    """OpenAI's SDK asks for base64 by itself, and decodes it; numbers it takes as they are."""
    encoded = base64.b64encode(array("f", [1.0, -0.5]).tobytes())
    body = merged(None, "m", [b'"%b"' % encoded, b"[1.0,-0.5]"], Usage(2))
    with served(body) as client:
        told = client.embeddings.create(model="m", input=["a", "b"])
    assert [[*item.embedding] for item in told.data] == [[1.0, -0.5]] * 2
    assert told.usage.prompt_tokens == 2
    CreateEmbeddingResponse.model_validate_json(merged(None, "m", [b"[1.0]"], Usage(2)))
