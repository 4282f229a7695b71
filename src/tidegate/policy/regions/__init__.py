"""Quotas that regions share: whose part is how large, so that no partition lets more through than there is."""
