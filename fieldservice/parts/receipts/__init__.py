"""Goods that arrive: what came with which delivery note, what lies in quarantine, and what became of it."""
