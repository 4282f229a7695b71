"""What is no error and still worth saying."""
