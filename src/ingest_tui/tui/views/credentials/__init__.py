"""The view Credentials."""
