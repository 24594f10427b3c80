"""The view Logs."""
