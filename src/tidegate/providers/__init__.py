"""Codecs without I/O: what to read from and change in a provider's bodies and streams."""
