"""The quota twin: a provider that enforces, counts and fails exactly as told. It is the judge."""
