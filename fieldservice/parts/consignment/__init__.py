"""Consignment: our stock at customers. How long it lasts and when it is refilled (T-06, T-07, Q-13)."""
