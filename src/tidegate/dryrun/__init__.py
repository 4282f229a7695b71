"""Yesterday's calls through another policy, in virtual time."""
