"""Read-only figures across capabilities."""
