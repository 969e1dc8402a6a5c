"""Benchmarks of throughput, footprint, fairness, pauses and stops. Run them with `make bench`."""
