"""The view Jobs."""
