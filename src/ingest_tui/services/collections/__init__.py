"""What a person can do with collections."""
