"""The demo company, built through the services."""
