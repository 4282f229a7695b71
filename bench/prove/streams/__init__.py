"""What becomes of streams that do not simply end: rows of 3/9, with real processes."""
