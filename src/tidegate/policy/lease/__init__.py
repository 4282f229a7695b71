"""Quota that many workers share: what the shared state decides, and what a worker may spend of what it was given."""
