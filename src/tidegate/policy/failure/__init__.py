"""What a refusal or failure means, and what is done about it."""
