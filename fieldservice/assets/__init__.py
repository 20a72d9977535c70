"""Installed machines: whose, where, what, and their warranty."""
