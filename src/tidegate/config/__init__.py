"""Configuration: a YAML file becomes a `Snapshot`, or every error in it at once with line, field and remedy."""
