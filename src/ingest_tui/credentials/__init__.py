"""Who we are to a source: the registry file, references to secrets, and proving that they let us in."""
