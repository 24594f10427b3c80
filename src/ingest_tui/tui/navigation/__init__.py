"""From view to view, and back."""
