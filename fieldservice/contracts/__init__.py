"""Promises: what is promised to whom within which time, and what is quoted."""
