"""The schema of the file, a module for each of its parts."""
