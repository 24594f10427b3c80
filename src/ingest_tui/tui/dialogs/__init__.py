"""Small windows over a view."""
