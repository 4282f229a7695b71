"""What is seen of calls afterwards, how soon it is found, and what watching costs."""
