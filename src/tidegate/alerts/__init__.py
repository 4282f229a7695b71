"""Telling people: channels that are told, and the watch that decides when."""
