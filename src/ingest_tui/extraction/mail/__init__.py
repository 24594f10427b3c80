"""What mails have in common, whichever format they came in."""
