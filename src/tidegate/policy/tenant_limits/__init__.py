"""What a tenant's own limits let it spend: requests, tokens, calls in flight, and money by day and month."""
