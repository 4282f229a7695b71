"""Decisions: pure, synchronous, with `now` and randomness as arguments. No I/O, no clock, no third party."""
