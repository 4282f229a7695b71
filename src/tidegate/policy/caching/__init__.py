"""Decisions about kept answers: what names one, what may be kept, for how long, and which question means the same."""
