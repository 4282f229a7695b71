"""Counters, rates and the structured log."""
