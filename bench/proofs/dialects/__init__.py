"""Both makers' dialects, judged by the suites and the referees of others."""
