"""What the head of a request alone decides: from where it comes, and whether that is too often."""
