"""Stocking: levels of our stores and vans as the engine finds them, kept with their reasons; what to order for them."""
