"""Answers that are known: their keys, their stores, equal calls at once, and who must not get them."""
