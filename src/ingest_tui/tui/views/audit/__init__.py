"""The view Audit."""
