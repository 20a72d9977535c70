"""Counting: sheets of a place, entered without seeing what should be there, and differences posted or approved."""
