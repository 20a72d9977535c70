"""The tablet on the server: its snapshot, its commands applied exactly once, its pictures, its page and API."""
