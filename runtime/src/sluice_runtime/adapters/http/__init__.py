"""The HTTP interface of a pod, and what walks through it."""
