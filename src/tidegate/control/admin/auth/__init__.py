"""Who asks the admin API: tokens, sessions, identity providers, rights."""
