"""From YAML to a checked snapshot; every error with its line and its remedy."""
