"""Servers of others: each a real one, in a folder of its own, that can be frozen, killed and started again."""
