"""What the runtime decides: functions of values, time included. No I/O, no clock, no asyncio."""
