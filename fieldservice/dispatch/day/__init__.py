"""The day of work: late running is noticed and told, and a technician who falls ill is replaced in one action."""
