"""Tidegate: the gate between an organisation's applications and all of its model APIs."""

__version__ = "0.9.0"
