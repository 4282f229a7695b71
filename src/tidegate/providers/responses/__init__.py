"""OpenAI's Responses API: requests, answers and event streams."""
