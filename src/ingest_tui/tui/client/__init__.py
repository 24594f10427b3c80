"""The one way from the screens to the workspace."""
