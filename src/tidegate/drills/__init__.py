"""Drills: asking fallbacks their core questions, judging the answers, and keeping the proofs."""
