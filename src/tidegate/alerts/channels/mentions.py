"""Who is called by name: telephone numbers, ids, or everybody."""

import re
from typing import Final

ALL: Final = "all"
_NUMBER: Final = re.compile(r"\+?[0-9][0-9-]{5,19}")


def is_number(mention: str) -> bool:
    """A telephone number, and not an id."""
    return _NUMBER.fullmatch(mention) is not None
