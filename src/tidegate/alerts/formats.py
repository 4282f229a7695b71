"""A text in the forms that several channels share: plain, and the two dialects of markdown. Cut between alerts."""

import re
from collections.abc import Callable, Iterable, Sequence
from typing import Final

import msgspec

from tidegate.alerts.texts import Paragraph, Text
from tidegate.model.alerts import RESOLVED

# What makers call markdown has no way to escape that they document: marks are shown by their full-width twins.
_TWIN: Final = 0xFEE0  # from a character of ASCII to its twin
_MARKS: Final = str.maketrans({mark: chr(ord(mark) + _TWIN) for mark in "*`<>#~|\\"})
_EDGE: Final = re.compile(r"(?<![0-9A-Za-z])_|_(?![0-9A-Za-z])")  # within a word it marks nothing
_ENTITIES: Final = (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"))


def unmarked(value: str) -> str:
    """Text that no dialect of markdown takes for marks."""
    return _EDGE.sub(chr(ord("_") + _TWIN), value.translate(_MARKS)).replace("](", "]（")


def entities(value: str) -> str:
    """The three characters that Slack wants as entities."""
    for mark, entity in _ENTITIES:
        value = value.replace(mark, entity)
    return value


def how_many(sizes: Iterable[int], most: int) -> int:
    """How many of these, from the first, have room within `most`. O(n)."""
    count = 0
    for size in sizes:
        most -= size
        if most < 0:
            break
        count += 1
    return count


def in_utf8(value: str) -> int:
    """How many bytes it is."""
    return len(value.encode())


def in_json(value: str) -> int:
    """How many bytes it is within a string of JSON, where quotes and line feeds are two."""
    return len(msgspec.json.encode(value)) - 2


def fitted(
    head: str,
    pieces: Sequence[str],
    tail: Callable[[int], str],
    most: int,
    left: int = 0,
    size: Callable[[str], int] = in_utf8,
) -> str:
    """`head`, as many pieces as have room, and the tail for how many have not, in at most `most` bytes by `size`.

    `left`: how many there are beyond the pieces. What does not even have room without pieces is cut.
    """
    room = most - size(head) - size(tail(len(pieces) + left))
    count = how_many((size(piece) for piece in pieces), room)
    return cut(head + "".join(pieces[:count]) + tail(len(pieces) - count + left), most)


def cut(value: str, most: int) -> str:
    """The beginning that has room, never within a character."""
    raw = value.encode()
    return value if len(raw) <= most else raw[: most - 3].decode(errors="ignore") + "…"


def plain(text: Text, most: int) -> str:
    """For e-mail and terminals: without the title."""
    words = text.words

    def piece(alert: Paragraph) -> str:
        head = "" if text.single else f"{alert.head}\n"
        return head + "".join(f"  {name}{words.colon}{value}\n" for name, value in alert.rows) + "\n"

    def tail(left: int) -> str:
        lines = [words.more.format(count=left)] if left else []
        lines += [f"{words.deed}{words.colon}{' '.join(text.deeds)}"] if text.deeds else []
        lines += [f"{words.link}{words.colon}{text.link}"] if text.link else []
        return "".join(f"{line}\n" for line in lines)

    head = "".join(f"{remark}\n" for remark in text.remarks) + f"{words.gate}{words.colon}{text.gate}\n\n"
    return fitted(head, [piece(alert) for alert in text.alerts], tail, most, text.more)


def dingtalk(text: Text, most: int, mentions: str) -> str:
    """DingTalk's markdown: headings, quotes, lists, bold, links; blocks are a blank line apart. `most`: within JSON."""
    words = text.words

    def piece(alert: Paragraph) -> str:
        head = "" if text.single else f"**{unmarked(alert.head)}**\n\n"
        rows = "".join(f"- **{name}**{words.colon}{unmarked(value)}\n" for name, value in alert.rows)
        return f"{head}{rows}\n"

    def tail(left: int) -> str:
        blocks = [words.more.format(count=left)] if left else []
        blocks += [f"**{words.deed}**{words.colon}{' '.join(text.deeds)}"] if text.deeds else []
        blocks += [f"[{words.link}]({address(text.link)})"] if text.link else []
        blocks += [mentions] if mentions else []
        return "\n\n".join(blocks)

    remarks = "".join(f"{remark}\n\n" for remark in text.remarks)
    head = f"#### {unmarked(text.title)}\n\n> {words.gate}{words.colon}{unmarked(text.gate)}\n\n{remarks}"
    return fitted(head, [piece(alert) for alert in text.alerts], tail, most, text.more, in_json)


def wecom(text: Text, most: int, mentions: str) -> str:
    """WeCom's markdown: headings, bold, links, quotes, and three colours; each line by itself."""
    words = text.words
    colour = "info" if text.state == RESOLVED else "warning"

    def piece(alert: Paragraph) -> str:
        head = "" if text.single else f"**{unmarked(alert.head)}**\n"
        rows = "".join(f'> <font color="comment">{name}</font>{words.colon}{unmarked(value)}\n'
                       for name, value in alert.rows)  # fmt: skip
        return f"{head}{rows}\n"

    def tail(left: int) -> str:
        lines = [words.more.format(count=left)] if left else []
        lines += [f"{words.deed}{words.colon}{' '.join(text.deeds)}"] if text.deeds else []
        lines += [f"[{words.link}]({address(text.link)})"] if text.link else []
        lines += [mentions] if mentions else []
        return "\n".join(lines)

    remarks = "".join(f"{remark}\n" for remark in text.remarks)
    title = f'### <font color="{colour}">{unmarked(text.title)}</font>\n'
    head = f'{title}> <font color="comment">{words.gate}</font>{words.colon}{unmarked(text.gate)}\n\n{remarks}'
    return fitted(head, [piece(alert) for alert in text.alerts], tail, most, text.more)


def address(url: str) -> str:
    """A link that ends where it should."""
    return url.replace("(", "%28").replace(")", "%29").replace(" ", "%20").replace("<", "%3C").replace(">", "%3E")
