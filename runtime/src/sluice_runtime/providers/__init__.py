"""Providers of market data: one vendor per folder or module, imported only if a job uses it."""
