"""How much of a quota is used, by whom, and whether what refused callers are told is true."""
