"""The workspace on disk: the only package that knows its folders and writes its records."""
