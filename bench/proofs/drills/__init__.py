"""What is tried before it is needed: fallbacks, and another policy."""
