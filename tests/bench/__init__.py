"""Measurements: what a quote and a pod cost, how long a symbol waits, how soon a pause takes effect. `make bench`."""
