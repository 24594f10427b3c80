"""What is to be done for each item of a listing, and why, before a byte is fetched."""
