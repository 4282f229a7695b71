"""What the admin API is asked, sent and answers: records, strict, for its description too."""
