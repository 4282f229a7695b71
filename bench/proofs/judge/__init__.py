"""The referee at work."""
