"""The families of `/metrics`, a module for each part of the gate."""
