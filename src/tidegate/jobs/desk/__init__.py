"""The desk: the process that takes patient work, tells how it stands and hands out what came of it."""
