"""What turns texts into vectors: one file for each backend, chosen by name."""
