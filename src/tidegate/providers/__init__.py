"""Codecs, sans-IO: what to read from and change in the bytes of each dialect. Profiles are data beside them."""
