"""The HTTP interface of a pod, and the smoke client for it."""
