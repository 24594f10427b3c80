"""What the screens keep next to the client of the services: the feed of changes, records to edit, conflicts."""
