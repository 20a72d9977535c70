"""People who sign in: accounts, roles by station, sessions and API tokens."""
