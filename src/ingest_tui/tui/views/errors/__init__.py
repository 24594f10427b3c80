"""The view Errors."""
