"""Questions to the services while the screen stays alive, and their answers."""
