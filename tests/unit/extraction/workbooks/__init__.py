"""Spreadsheets as a person sees them."""
