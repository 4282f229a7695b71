"""The rows of issue 8/9: see it, be told, and prove the fallback."""
