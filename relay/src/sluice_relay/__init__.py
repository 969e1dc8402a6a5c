"""Alpaca's stream protocol: one feed, many readers."""
