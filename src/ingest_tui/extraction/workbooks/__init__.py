"""Spreadsheets beyond plain values: what a person sees in and around the cells; readers of further formats."""
