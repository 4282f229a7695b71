"""One file for each revision: `NNNN_what.py`."""
