"""A text in the pieces in which a model would have said it: a word with the space before it, a few wide characters.

A long text has longer pieces, so that no answer has more events than it is worth. The joined pieces are the text.
"""

import re
from codecs import getincrementaldecoder
from collections.abc import Sequence
from typing import Final

from tidegate.providers.answers.fields import Fields, text_of

MOST: Final = 2_048  # pieces of one text
_WIDE = "\u1100-\u11ff\u2e80-\ua4cf\uac00-\ud7af\uf900-\ufaff\ufe30-\ufe4f\uff00-\uffef\U00020000-\U0003ffff"
_PIECE = re.compile(rf"\s{{0,32}}(?:[{_WIDE}]{{1,3}}|[^\s{_WIDE}]{{1,24}})|\s{{1,32}}")
_LONG: Final = 4  # characters of an average piece
_SPARE: Final = 32  # characters in which a word's end is looked for
_decoder = getincrementaldecoder("utf-8")


def pieces(text: str) -> list[str]:
    """Some thousands at most, about `MOST` of a long text; none of an empty one. No character is cut. O(characters)."""
    least = -(-len(text) // MOST)
    if least <= _LONG:
        return _PIECE.findall(text)
    pattern = re.compile(rf"(?s:.{{{least},{least + _SPARE}}}?(?=[\s{_WIDE}])|.{{1,{least + _SPARE}}})")
    return pattern.findall(text)


def by_tokens(text: str, tokens: Sequence[Fields]) -> list[tuple[str, Sequence[Fields]]]:
    """The text in the pieces that its tokens are, each with its tokens' log-probabilities.

    Bytes of one character can be spread over tokens: these stay together. One piece of everything where the tokens are
    not the text. O(characters and tokens).
    """
    said: list[tuple[str, Sequence[Fields]]] = []
    decoder, first, step, piece = _decoder(), 0, -(-len(tokens) // MOST), ""
    try:
        for at, token in enumerate(tokens, 1):
            piece += decoder.decode(_bytes_of(token))
            if at - first >= step and not decoder.getstate()[0]:
                said.append((piece, tokens[first:at]))
                first, piece = at, ""
    except (ValueError, TypeError):
        return [(text, tokens)]
    if first < len(tokens):
        said.append((piece, tokens[first:]))
    return said if "".join([piece for piece, _ in said]) == text else [(text, tokens)]


def _bytes_of(token: Fields) -> bytes:
    stated = token.get("bytes")
    return bytes(stated) if isinstance(stated, list) else text_of(token.get("token")).encode()
