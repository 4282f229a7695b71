"""When to say what to whom about how the gate does."""
