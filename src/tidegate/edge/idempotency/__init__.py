"""A call with an `Idempotency-Key` is executed once, whoever asks again and wherever."""
