"""What becomes of streams that do not simply end, with real processes."""
