"""The runtime's decisions as pure functions of values, including time. No I/O, no clock, no asyncio."""
