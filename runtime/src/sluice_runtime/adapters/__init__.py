"""Adapters: one protocol or library per module."""
