"""What is given to others, on a machine that has nothing."""
