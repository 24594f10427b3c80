"""What the screens keep beside the client of the services: the feed of changes, records to edit, conflicts."""
