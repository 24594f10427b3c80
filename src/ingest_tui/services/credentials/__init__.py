"""What a person can do with credentials."""
