"""Answers that are kept: in memory, on disk, in Redis. Adapters without a decision."""
