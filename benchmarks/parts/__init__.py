"""Stock levels under measurement (`python -m benchmarks.parts`)."""
