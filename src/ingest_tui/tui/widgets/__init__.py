"""Reusable widgets: each knows how to draw, none knows the workspace."""
