"""The server for agents: the Model Context Protocol over the services. Needs the extra ``serve``."""
