"""Storages that the program rclone reaches: drives, file servers, object stores."""
