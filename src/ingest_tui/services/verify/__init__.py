"""Everything of a workspace against everything, and the repair of what is found."""
