"""The process that compares questions: embedders, index, gates, and what is learnt of each entry."""
