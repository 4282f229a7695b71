"""Drills: what is asked, what an answer has to be like, and what a proof is worth. Pure."""
