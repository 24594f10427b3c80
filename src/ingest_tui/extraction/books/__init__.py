"""What electronic books are packed in."""
