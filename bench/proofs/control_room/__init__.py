"""The control room in a browser."""
