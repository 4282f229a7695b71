"""What a provider's limits really are: learnt from its headers, its refusals, and what others spend."""
