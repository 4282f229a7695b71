"""The configuration as people edit it: the file, the process that reads texts, history, dry runs."""
