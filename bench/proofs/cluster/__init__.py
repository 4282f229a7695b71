"""Many workers on many machines: their servers, networks and gates, and what is proved of them."""
