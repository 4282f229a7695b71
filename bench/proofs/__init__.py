"""What was promised, shown: by subject, and by `./dev prove N` as `table.py` has it."""
