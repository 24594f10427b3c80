"""What a person can do with jobs, and with what they report."""
