"""Opportunities: what could become business, from the first sign to won or lost."""
