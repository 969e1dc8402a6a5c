"""Adapters: one vendor or protocol per module. A provider's packages are imported only if a job uses it."""
