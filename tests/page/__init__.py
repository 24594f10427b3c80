"""The page of the server, as people see it: in a real browser."""
