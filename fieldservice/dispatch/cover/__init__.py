"""Cover: weeks are published only when somebody is always there; swaps of shifts; load, and work to be expected."""
