"""What a person can do with documents."""
