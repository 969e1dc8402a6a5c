"""Measurements: what a quote costs, what a pod costs, and how long a symbol waits. `make bench` runs them."""
