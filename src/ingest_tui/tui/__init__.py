"""The full-screen face: reads the workspace, leaves requests, never ingests."""
