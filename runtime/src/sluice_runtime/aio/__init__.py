"""Helpers for asyncio: a shared value with a version, waiting for several tasks, and closing despite cancellation."""
