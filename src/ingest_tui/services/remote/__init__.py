"""The services on a workspace that an `ingest-tui serve` has: the calls of the client, asked over HTTP."""
