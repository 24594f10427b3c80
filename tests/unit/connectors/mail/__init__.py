"""Mail connector."""
