"""One file for each kind of channel, and `table.py`, which opens them."""
