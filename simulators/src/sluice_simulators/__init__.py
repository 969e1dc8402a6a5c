"""Servers that simulate market-data vendors, and the tapes that they play."""
