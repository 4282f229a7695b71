"""Who calls: the ledger, budgets, the CPU that is theirs, and what the admin API withstands."""
