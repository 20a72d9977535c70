"""The customer's own pages: home and tracking."""
