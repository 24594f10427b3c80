"""The HTTP server: a face over the services, for programs and agents. Needs the extra ``serve``."""
