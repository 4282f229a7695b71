"""The fault matrix: what may go wrong, in which form, between whom, and how it has to end."""
