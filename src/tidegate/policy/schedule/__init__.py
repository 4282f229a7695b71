"""Who is next: the disciplines by which waiting calls take their turn."""
