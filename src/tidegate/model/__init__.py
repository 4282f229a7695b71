"""The words every room shares. Nothing here imports another room."""
