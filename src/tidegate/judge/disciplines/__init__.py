"""One file for each discipline: the load it is judged under, and from what was seen to its measures."""
