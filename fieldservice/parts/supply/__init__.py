"""Supply orders: parts ordered from suppliers, from draft to received."""
