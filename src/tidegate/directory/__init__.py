"""The directory log: how what is managed at run time reaches the workers. Control writes it, workers follow it."""
