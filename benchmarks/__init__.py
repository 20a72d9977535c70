"""What the system costs: `make bench` measures the real server over PostgreSQL, beside a baseline of the same run."""
