"""A fault comes in: reports, service requests, their clocks, duplicates and messages."""
