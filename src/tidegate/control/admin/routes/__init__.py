"""Paths of the admin API, a module for each part of it."""
