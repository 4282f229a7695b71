should_stop: int | None
