"""A batch that runs overnight, through Tidegate, with the official OpenAI SDK: an example of patient work."""
