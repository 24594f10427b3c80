"""What a person can do with sources."""
