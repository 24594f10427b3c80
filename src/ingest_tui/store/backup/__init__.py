"""Backups of a workspace: one compressed tar stream, written next to a running worker and read without trust."""
