"""Translations between the dialects, sans-IO. Chat completions are the hub: the others meet there."""
