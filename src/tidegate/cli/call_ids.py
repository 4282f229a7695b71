"""A call as its client knows it."""

from argparse import ArgumentTypeError

_OURS = "req_"  # how an id begins in `x-request-id`, in hexadecimal digits then


def call_id(text: str) -> int:
    """Its number, from that or from what `x-request-id` said. Raises `ArgumentTypeError`."""
    try:
        return int(text.removeprefix(_OURS), 16) if text.startswith(_OURS) else int(text)
    except ValueError:
        raise ArgumentTypeError(
            f"{text!r} is no id of a call: give its number, or req_ and hexadecimal digits"
        ) from None


def shown(number: object) -> str:
    """As clients know it."""
    return f"{_OURS}{int(str(number)):x}"
