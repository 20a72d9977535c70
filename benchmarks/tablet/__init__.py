"""The technician's tablet under trial and measurement (`python -m benchmarks.tablet`)."""
