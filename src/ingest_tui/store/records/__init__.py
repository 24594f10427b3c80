"""The small files of a workspace: journals, settings, sources, audit, plans."""
