"""Who we are to a source: the registry file, references to secrets, and checking that they grant access."""
