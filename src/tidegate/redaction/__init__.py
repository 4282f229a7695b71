"""What is taken out of the bodies of calls before they are stored: told by its form, without knowing what it means."""
