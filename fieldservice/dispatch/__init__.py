"""The day plan: who is where when, and who could go next."""
