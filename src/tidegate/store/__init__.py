"""The database of the control process: who called, what it cost, who may call, and who changed what."""
