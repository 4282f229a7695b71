"""Processes: the supervisor, what it starts, and the channels between them. Imports nothing heavy."""
