"""The catalogue around a part: what replaces it, kits, suppliers and their offers, and finding it."""
