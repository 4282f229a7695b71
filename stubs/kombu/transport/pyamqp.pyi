from collections.abc import Mapping
from typing import Any

class Channel:
    connection: Any
    events: Mapping[str, set[Any]]
    def confirm_select(self) -> None: ...
