"""Answers to questions that mean the same: what the semantic cache promises, on questions that people asked."""
