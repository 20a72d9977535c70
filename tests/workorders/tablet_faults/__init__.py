"""Trials of the tablet: the real client, the real server, and between them a line and machines that fail."""
