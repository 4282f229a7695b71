"""What the admin API shows and changes, without HTTP."""
