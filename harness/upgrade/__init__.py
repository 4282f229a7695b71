"""A gate over the state directory that an older version left."""
