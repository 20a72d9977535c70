"""Old parts that have to come back, what becomes of them, and what their suppliers owe us (docs/decisions/0032)."""
