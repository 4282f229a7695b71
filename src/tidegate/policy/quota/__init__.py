"""How much of a provider's quota is left, what a call takes of it, and when it comes back."""
