"""Lending technicians between stations: who could come, what it costs and leaves behind, asking and agreeing."""
