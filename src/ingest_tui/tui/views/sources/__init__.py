"""The view Sources."""
