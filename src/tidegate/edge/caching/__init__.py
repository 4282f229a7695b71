"""Answers that are known: what is asked of the cache for a call, and what it is told."""
