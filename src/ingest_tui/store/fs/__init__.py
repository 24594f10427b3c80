"""Files and folders: durable writing, locks, room on the disk, kinds of file systems."""
