"""Optical character recognition: pictures of pages to text, within a parser process, page by page."""
