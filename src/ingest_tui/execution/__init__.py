"""Who does the heavy work: files become text in the parser processes of this machine."""
