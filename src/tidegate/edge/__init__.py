"""The public API: routes, shapes, errors to HTTP. The only place where a status is chosen."""
