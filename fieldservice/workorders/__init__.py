"""Triage, work orders, visits, bookings, eligibility rules and the tablet's commands."""
