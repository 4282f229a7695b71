"""Decisions about patient work: what becomes of a job, and who is told of its end."""
