"""What a key, a command or the palette does."""
