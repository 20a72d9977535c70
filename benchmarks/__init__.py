"""Benchmarks: what the system does a second, beside a baseline of the same run. `make bench` runs them."""
