"""Patient work: jobs in rows, who runs them, and what clients see of them."""
