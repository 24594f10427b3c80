"""What a file is, and whether it is read at all: decided from its bytes before any parser sees it."""
