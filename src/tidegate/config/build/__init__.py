"""From the checked file to the snapshot's records."""
