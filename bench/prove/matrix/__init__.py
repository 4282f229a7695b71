"""The fault matrix of 3/9: what may go wrong, in which form, between whom, and how it has to end."""
