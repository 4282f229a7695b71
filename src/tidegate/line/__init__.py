"""A stage of `edge/pipeline.py`: from a call to a provider's answer. Sees ports and policies, never an adapter."""
