"""What all that calls over a network shares: retries, Retry-After, connections, and where a secret may go."""
