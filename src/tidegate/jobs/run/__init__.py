"""Who takes a job from the rows to the gate, and back with what became of it."""
