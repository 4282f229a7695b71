"""What a file that fits the schema may still not say."""
