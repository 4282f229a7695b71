"""Who is next, through which outlet, and what somebody is told who has to wait."""
