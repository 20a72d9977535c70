"""Transfers: parts on their way from one of our places to another, by a carrier or a technician."""
