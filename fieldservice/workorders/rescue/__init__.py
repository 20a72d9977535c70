"""Rescue of another maker's machine: asked with the order, decided by the manager, sent only then (X-01, X-02)."""
