"""Many regions, one quota, in virtual time: the gate's own rules of parts, links that fail, demand that moves."""
