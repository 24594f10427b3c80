"""Signing in for real, one file for each type of credential that can be tried without a source."""
