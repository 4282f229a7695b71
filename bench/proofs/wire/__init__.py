"""Calls through the wire: by hand, by a trace, and what they cost."""
