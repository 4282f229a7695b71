"""The public API: routes, shapes, and the one place that chooses a status."""
